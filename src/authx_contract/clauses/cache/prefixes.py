"""Two prefixes on one server."""

from __future__ import annotations

from authx_contract.basics.expect import same
from authx_contract.clause import clause
from authx_contract.samples.entries import MINUTE
from authx_contract.trial import Trial


@clause(
    "C-006",
    needs=["namespaces"],
    means="Two applications on one server use each other's reset links and count each other's failed logins.",
    cause="Prefix and key are joined so that `a` with `b:key` is `a:b` with `key`: escape the separator.",
)
async def prefixes(trial: Trial) -> None:
    """Two prefixes do not see each other, `a` and `a:b` included."""
    harness = type(trial.harness)()
    harness.namespace = f"{trial.harness.namespace}:b"
    other = Trial(harness)
    await harness.reset()
    try:
        ours, theirs = await trial.cache(), await other.cache()
        joined = [f"{bar}b{bar}key" for bar in ("", ":", "|", "/", "_", "-", ".")]
        keys = ["key", *joined, *(key.lstrip(":|/_-.") for key in joined)]
        for key in dict.fromkeys(keys):
            await ours.set(key, "ours", ttl=MINUTE)
            same(await theirs.get_many(keys), [None] * len(keys), f"another prefix sees {key!r}")
            same(await theirs.add(key, "theirs", ttl=MINUTE), True, f"{key!r} is taken under another prefix")
            same(await ours.get(key), "ours", f"another prefix changed {key!r}")
            same(await theirs.delete(key), True, f"{key!r}, added under another prefix, is gone")
            same(await ours.pop(key), "ours", f"another prefix deleted {key!r}")
            same(await ours.increment(key, ttl=MINUTE), 1, "a counter does not begin at 1")
            same(await theirs.increment(key, ttl=MINUTE), 1, f"two prefixes count {key!r} together")
            await ours.delete(key)
            await theirs.delete(key)
    finally:
        await harness.reset()
        await harness.close()
