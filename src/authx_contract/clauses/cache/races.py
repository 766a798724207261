"""Several callers of one cache at once."""

from __future__ import annotations

from collections.abc import Iterable

from authx_contract.basics.expect import holds, same
from authx_contract.clause import clause
from authx_contract.probes.races import ROUNDS, race
from authx_contract.samples.entries import MINUTE, gone_exactly_after, warm
from authx_contract.terms import RACERS
from authx_contract.trial import Trial
from authx_core.ports import Cache


@clause(
    "C-021",
    level=2,
    kind="race",
    means="A reset link works twice when two requests meet: a stolen one still works after its owner used it.",
    cause="`GET` followed by `DEL`: use `GETDEL`, `DELETE … RETURNING`, or one script.",
)
async def one_pop(trial: Trial) -> None:
    """Of several `pop`s at once, one gets the value."""
    caches = await trial.racing_caches()

    async def pop(cache: Cache, _: int) -> str | None:
        return await cache.pop("key")

    for _ in range(ROUNDS):
        await caches[0].set("key", "value", ttl=MINUTE)
        popped = await race(caches, pop, warm=warm)
        same(_given(popped), ["value"], "a value that is read once was not given exactly once")
        same(await caches[0].get("key"), None, "a popped value is still there")


@clause(
    "C-022",
    level=2,
    kind="race",
    means="Two requests each believe that they hold the lock or issued the only token.",
    cause="The key is looked up and then set: use `SET NX`, or an insert that a unique key decides.",
)
async def one_add(trial: Trial) -> None:
    """Of several `add`s at once one is True, and its value stands."""
    caches = await trial.racing_caches()

    async def add(cache: Cache, racer: int) -> bool:
        return await cache.add("key", str(racer), ttl=MINUTE)

    for _ in range(ROUNDS):
        added = await race(caches, add, warm=warm)
        same(sorted(added, key=bool), _one_of(RACERS), "not exactly one of several adds succeeded")
        same(
            await caches[0].pop("key"),
            str(added.index(True)),
            "the value of the add that succeeded was overwritten",
        )


@clause(
    "C-023",
    level=2,
    kind="race",
    means="Attempts to guess a password at the same time count as one.",
    cause="The counter is read, raised and written in several steps: use the engine's own increment.",
)
async def distinct_counts(trial: Trial) -> None:
    """Of several `increment`s at once each gives another result."""
    caches = await trial.racing_caches()

    async def count(cache: Cache, _: int) -> int:
        return await cache.increment("counter", ttl=MINUTE)

    for round_ in range(ROUNDS):
        counts = await race(caches, count, warm=warm)
        expected = list(range(round_ * RACERS + 1, (round_ + 1) * RACERS + 1))
        same(sorted(counts, key=repr), sorted(expected, key=repr), "increments were lost or counted twice")


@clause(
    "C-024",
    level=2,
    kind="race",
    needs=["time"],
    means="At the end of a lock several requests each believe to be the first.",
    cause="What has expired is removed in one step and replaced in another.",
)
async def over_an_expired_key(trial: Trial) -> None:
    """Over an expired key no `pop` succeeds, one `add` does, and `increment`s count from 1."""
    caches = await trial.racing_caches()

    async def pop(cache: Cache, _: int) -> str | None:
        return await cache.pop("popped")

    async def add(cache: Cache, racer: int) -> bool:
        return await cache.add("added", str(racer), ttl=MINUTE)

    async def count(cache: Cache, _: int) -> int:
        return await cache.increment("counter", ttl=MINUTE)

    async def expired(key: str) -> None:
        """Store one key and let it expire; no call may remove it before the race."""
        await caches[0].set(key, "7", ttl=MINUTE)
        await trial.elapse(MINUTE)

    for _ in range(ROUNDS):
        await expired("popped")
        same(await race(caches, pop, warm=warm), [None] * RACERS, "an expired value was popped")
        await expired("added")
        added = await race(caches, add, warm=warm)
        same(sorted(added, key=bool), _one_of(RACERS), "not exactly one add over an expired key succeeded")
        await gone_exactly_after(trial, MINUTE, caches[0], "added")
        await expired("counter")
        counts = await race(caches, count, warm=warm)
        same(
            sorted(counts, key=repr), list(range(1, RACERS + 1)), "increments over an expired key did not count from 1"
        )
        await gone_exactly_after(trial, MINUTE, caches[0], "counter")


@clause(
    "C-025",
    level=2,
    kind="race",
    means="A fresh token vanishes when an old one is used, or works twice.",
    cause="`pop` removes by the key whatever is there, not the value that it read.",
)
async def pop_against_set(trial: Trial) -> None:
    """`pop` against `set` loses and doubles nothing."""
    caches = await trial.racing_caches()

    for round_ in range(ROUNDS):

        async def pop_or_set(cache: Cache, racer: int, round_: int = round_) -> str | None:
            if racer != round_ % RACERS:
                return await cache.pop("key")
            await cache.set("key", "new", ttl=MINUTE)
            return None

        await caches[0].set("key", "old", ttl=MINUTE)
        popped = _given(await race(caches, pop_or_set, warm=warm))
        left = _given([await caches[0].pop("key")])
        same((popped + left).count("new"), 1, f"the new value was lost or doubled: popped {popped}, left {left}")
        holds(popped.count("old") <= 1, f"the old value was doubled: popped {popped}")
        holds("old" not in left, "the old value is there after a set")


@clause(
    "C-026",
    level=2,
    kind="race",
    needs=["time"],
    means="A counter restarts with the old count and locks a person out, or lives for ever.",
    cause="The count is read before it expires and written after; or the deadline is set in a second step.",
)
async def increment_against_expiry(trial: Trial) -> None:
    """`increment` while a counter expires either counts on or starts at 1, and keeps a deadline."""
    caches = await trial.racing_caches()

    for round_ in range(ROUNDS):

        async def count_or_expire(cache: Cache, racer: int, round_: int = round_) -> int | None:
            if racer != round_ % RACERS:
                return await cache.increment("counter", ttl=MINUTE)
            await trial.elapse(MINUTE)
            return None

        await caches[0].increment("counter", by=10, ttl=MINUTE)
        results = await race(caches, count_or_expire, warm=warm)
        counts = [result for result in results if isinstance(result, int)]
        same(len(counts), RACERS - 1, f"a racer failed: {results}")
        before, after = sorted(n for n in counts if n > 10), sorted(n for n in counts if n <= 10)
        same(before, list(range(11, 11 + len(before))), "an increment before the expiry was lost")
        same(after, list(range(1, 1 + len(after))), "a counter that expired did not start at 1")
        kept = await caches[0].get("counter")
        same(kept, str(len(after)) if after else None, "a counter that expired was overwritten with its old value")
        await trial.elapse(MINUTE)
        same(await caches[0].get("counter"), None, "a counter that expired has lost its deadline")


def _given(results: Iterable[object]) -> list[object]:
    return [result for result in results if result is not None]


def _one_of(number: int) -> list[bool]:
    return [False] * (number - 1) + [True]
