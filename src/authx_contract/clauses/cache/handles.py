"""Other handles see every change; durable data survive closing and opening."""

from __future__ import annotations

from authx_contract.basics.expect import same
from authx_contract.clause import clause
from authx_contract.probes.processes import worker_process
from authx_contract.samples.entries import MINUTE
from authx_contract.trial import Trial


@clause(
    "C-040",
    level=2,
    means="A token that was used on one server still works on another.",
    cause="A cache in the handle, in front of the cache; or one in memory, which the harness does not declare.",
)
async def other_handles(trial: Trial) -> None:
    """Other handles see every change at once; what is durable survives closing and opening."""
    first, second = await trial.caches(2)
    same(await first.get("key"), None, "the cache is not empty")
    await second.set("key", "1", ttl=MINUTE)
    same(await first.get("key"), "1", "another handle does not see a value that was set")
    await first.increment("key", ttl=MINUTE)
    same(await second.get("key"), "2", "another handle does not see an increment")
    await second.delete("key")
    same(await first.get("key"), None, "another handle still sees a deleted key")
    same(await first.add("key", "3", ttl=MINUTE), True, "a key that another handle deleted is taken")
    same(await second.add("key", "4", ttl=MINUTE), False, "a key that another handle added is free")
    same(await first.get_many(["key"]), ["3"], "a failed add of another handle changed the value")
    same(await second.pop("key"), "3", "another handle cannot pop a value that was added")
    same(await first.get("key"), None, "another handle still sees a popped value")
    await first.set("kept", "value", ttl=MINUTE)
    await first.increment("counter", by=7, ttl=MINUTE)
    await trial.close()
    kept = ["value", "7"] if trial.capabilities.backend != "memory" else [None, None]
    same(await (await trial.cache()).get_many(["kept", "counter"]), kept, "closing and opening changed the kept data")
    if trial.capabilities.processes:
        async with worker_process(trial) as process:
            same(await process.value("kept"), "value", "another process does not see a value")
