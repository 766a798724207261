"""Outages of a cache's backend."""

from __future__ import annotations

from authx_contract.basics.expect import same
from authx_contract.clause import clause
from authx_contract.never_suspends import NeverSuspends
from authx_contract.probes.outages import Operations, back, down
from authx_contract.samples.entries import MINUTE
from authx_contract.trial import Trial
from authx_core.domain import CacheUnavailable


@clause(
    "C-053",
    level=3,
    kind="process",
    needs=["outage"],
    means="While the cache is down every request hangs or shows an error page; afterwards, until a restart too.",
    cause="A driver without a timeout; its own error leaves the adapter; a broken connection stays in the pool.",
)
async def cache_down(trial: Trial) -> None:
    """A backend that is down is `CacheUnavailable` in time, and the same handle works afterwards."""
    cache = await trial.cache()
    await cache.set("key", "value", ttl=MINUTE)
    operations: Operations = {
        "get": lambda: cache.get("key"),
        "get_many": lambda: cache.get_many(["key", "other"]),
        "set": lambda: cache.set("key", "other", ttl=MINUTE),
        "add": lambda: cache.add("other", "value", ttl=MINUTE),
        "pop": lambda: cache.pop("key"),
        "delete": lambda: cache.delete("key"),
        "increment": lambda: cache.increment("counter", ttl=MINUTE),
        "increment_many": lambda: cache.increment_many(["counter", "counter"], ttl=MINUTE),
    }
    await down(trial, operations, CacheUnavailable, in_threads=isinstance(cache, NeverSuspends))
    await back(lambda: cache.get("key"))
    await cache.set("key", "new", ttl=MINUTE)
    same(await cache.pop("key"), "new", "the handle does not work as before")
    same(await cache.increment("again", ttl=MINUTE), 1, "the handle does not count as before")
