"""Counters: exact, of integers only, and several at once."""

from __future__ import annotations

from typing import Final

from authx_contract.basics.expect import raised, same
from authx_contract.clause import clause
from authx_contract.probes.races import ROUNDS, race
from authx_contract.samples.entries import MINUTE, gone_exactly_after, warm
from authx_contract.terms import RACERS
from authx_contract.trial import Trial
from authx_core.domain import InvalidValue
from authx_core.ports import Cache

_BIG: Final = 2**53 + 1


@clause(
    "C-031",
    means="A limit is reached too early or never.",
    cause="Counters as floats, or through a script language whose numbers are doubles.",
)
async def increment(trial: Trial) -> None:
    """`increment` adds k and −k, exactly at 2**53 + 1, and text that is an integer counts."""
    cache = await trial.cache()
    steps = (1, 4, -3, _BIG, -1, 1, -_BIG, -10)
    for number, by in enumerate(steps, 1):
        same(await cache.increment("counter", by=by, ttl=MINUTE), sum(steps[:number]), f"adding {by} is not exact")
    same(await cache.get("counter"), str(sum(steps)), "a counter does not read as its decimal text")
    same(await cache.increment("below", by=-2, ttl=MINUTE), -2, "a new counter does not start at 0")
    await cache.set("text", str(_BIG), ttl=MINUTE)
    same(await cache.increment("text", ttl=MINUTE), _BIG + 1, "adding to the text of an integer is not exact")


@clause(
    "C-032",
    needs=["time"],
    means="A value is destroyed by a counter of the same name.",
    cause="Text is parsed leniently, or a type error leaves the adapter, or the value is replaced.",
)
async def no_integer(trial: Trial) -> None:
    """`increment` on a value that is no integer or has no room is `InvalidValue`, and the value stays."""
    cache = await trial.cache()
    for value in ("text", "", "1.5", "1e3", "0x10", "None", "--1", "1 2", " 1", "1_0", "１", str(2**63 - 1)):
        await cache.set("key", value, ttl=MINUTE)
        await raised(InvalidValue, cache.increment("key", ttl=2 * MINUTE), f"{value!r} was incremented")
        same(await cache.get("key"), value, "a refused increment changed the value")
    await gone_exactly_after(trial, MINUTE, cache, "key")


@clause(
    "C-036",
    means="Attempts are counted for the wrong client, or lost when two requests meet.",
    cause="Answers are gathered by key; several counters are read and written in several steps.",
)
async def increment_many(trial: Trial) -> None:
    """`increment_many` is atomic for each key and answers in order, duplicates included."""
    cache = await trial.cache()
    same(await cache.increment_many([], ttl=MINUTE), [], "no keys did not give an empty list")
    same(await cache.increment_many(["a", "b", "a"], by=2, ttl=MINUTE), [2, 2, 4], "a duplicate did not count twice")
    same(await cache.increment_many(("b", "c"), ttl=MINUTE), [3, 1], "counters were not answered in order")
    same(await cache.get_many(["a", "b", "c"]), ["4", "3", "1"], "the answers differ from the stored counters")
    keys = [str(number) for number in range(500)]
    same(await cache.increment_many(keys, ttl=MINUTE), [1] * 500, "500 counters were not answered")
    for key in "ab":
        await cache.delete(key)
    await _counts_two_ways(trial)


async def _counts_two_ways(trial: Trial) -> None:
    """Check that concurrent `increment_many` of two keys in opposite order lose no count."""
    caches = await trial.racing_caches()

    async def count(cache: Cache, racer: int) -> list[int]:
        counts = await cache.increment_many(["a", "b"] if racer % 2 else ["b", "a"], ttl=MINUTE)
        return counts if racer % 2 else counts[::-1]

    for round_ in range(ROUNDS):
        counts = await race(caches, count, warm=warm)
        done = [result for result in counts if isinstance(result, list)]
        same(len(done), RACERS, f"a racer failed: {counts}")
        expected = list(range(round_ * RACERS + 1, (round_ + 1) * RACERS + 1))
        for position, key in enumerate("ab"):
            results = sorted(each[position] for each in done)
            same(results, expected, f"increments of {key!r} were lost or counted twice")
