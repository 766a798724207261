"""Lifetimes, without waiting. A read may remove an expired key, so each observation has its own key."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, cast

from authx_contract.basics.expect import raised, same
from authx_contract.basics.violation import Violation
from authx_contract.clause import clause
from authx_contract.samples.entries import MINUTE, MOMENT, gone_exactly_after, warm
from authx_contract.trial import Trial
from authx_core.domain import InvalidValue
from authx_core.ports import Cache

_MARGINS: Final = (timedelta(milliseconds=20), timedelta(milliseconds=200), timedelta(seconds=5))


@clause(
    "C-010",
    needs=["time"],
    means="A reset link works after its time, or dies before it; a lock ends at the wrong moment.",
    cause="A deadline that is compared by `<` where `<=` is due, or only by a reaper, or not in every operation.",
)
async def deadline(trial: Trial) -> None:
    """A key is readable strictly before its deadline and gone at it, for every operation."""
    cache = await trial.cache()
    operations = ("get", "get_many", "pop", "delete", "add", "increment", "increment_many")
    for name in operations:
        await cache.set(f"{name} early", "5", ttl=MINUTE)
        await cache.set(f"{name} late", "5", ttl=MINUTE)
    await trial.elapse(MINUTE - trial.slack)
    same(await cache.get("get early"), "5", "get missed a live key")
    same(await cache.get_many(["get_many early"]), ["5"], "get_many missed a live key")
    same(await cache.pop("pop early"), "5", "pop missed a live key")
    same(await cache.delete("delete early"), True, "delete missed a live key")
    same(await cache.add("add early", "6", ttl=MINUTE), False, "add overwrote a live key")
    same(await cache.increment("increment early", ttl=MINUTE), 6, "increment missed a live key")
    same(await cache.increment_many(["increment_many early"], ttl=MINUTE), [6], "increment_many missed a live key")
    await trial.elapse(trial.slack)
    same(await cache.get("get late"), None, "get read a key at its deadline")
    same(await cache.get_many(["get_many late"]), [None], "get_many read a key at its deadline")
    same(await cache.pop("pop late"), None, "pop gave a key at its deadline")
    same(await cache.delete("delete late"), False, "delete claimed a key at its deadline")
    same(await cache.add("add late", "6", ttl=MINUTE), True, "add failed over a key at its deadline")
    same(await cache.increment("increment late", ttl=MINUTE), 1, "increment counted on from an expired value")
    same(await cache.increment_many(["increment_many late"], ttl=MINUTE), [1], "increment_many counted on")


@clause(
    "C-011",
    needs=["time"],
    means="After a lock has ended the next one cannot begin, or never ends.",
    cause="`add` looks whether the key is there, not whether it is still alive.",
)
async def add_over_expired(trial: Trial) -> None:
    """`add` over an expired key succeeds, with its own lifetime."""
    cache = await trial.cache()
    await cache.set("key", "old", ttl=MINUTE)
    await trial.elapse(MINUTE)
    same(await cache.add("key", "new", ttl=2 * MINUTE), True, "add over an expired key failed")
    same(await cache.get("key"), "new", "add over an expired key kept the old value")
    await gone_exactly_after(trial, 2 * MINUTE, cache, "key")


@clause(
    "C-012",
    needs=["time"],
    means="One failed login today is added to yesterday's, and locks the person out.",
    cause="`increment` looks whether the key is there, not whether it is still alive; or keeps the old deadline.",
)
async def counter_restarts(trial: Trial) -> None:
    """An expired counter restarts, with a lifetime of its own."""
    cache = await trial.cache()
    same(await cache.increment("counter", by=3, ttl=MINUTE), 3, "a new counter does not start at 0")
    await trial.elapse(MINUTE)
    same(await cache.increment("counter", by=2, ttl=2 * MINUTE), 2, "an expired counter went on counting")
    await gone_exactly_after(trial, 2 * MINUTE, cache, "counter")


@clause(
    "C-013",
    needs=["time"],
    means="A person who keeps trying stays locked for ever, since each attempt extends the window.",
    cause="`EXPIRE` after each `INCR`: set the lifetime only when the counter comes into being, in the same step.",
)
async def first_call_fixes(trial: Trial) -> None:
    """`increment` fixes the lifetime at its first call."""
    cache = await trial.cache()
    for key in ("longer", "shorter"):
        await cache.increment(key, ttl=MINUTE)
    await trial.elapse(MINUTE / 2)
    await cache.increment("longer", ttl=MINUTE)
    await cache.increment_many(["shorter", "shorter"], ttl=MOMENT)
    await gone_exactly_after(trial, MINUTE / 2, cache, "longer", "shorter")


@clause(
    "C-014",
    needs=["time"],
    means="A person is locked out for ever.",
    cause="Only some ways into a counter (absent, expired, `pop` or `delete` before) set the deadline: set it in each.",
)
async def always_a_deadline(trial: Trial) -> None:
    """No counter is ever without a deadline, however it came into being."""
    cache = await trial.cache()
    await cache.increment("new", ttl=MINUTE)
    await cache.increment_many(["many", "twice", "twice"], ttl=MINUTE)
    await cache.set("popped", "1", ttl=MINUTE)
    await cache.pop("popped")
    await cache.increment("popped", ttl=MINUTE)
    await cache.set("deleted", "1", ttl=MINUTE)
    await cache.delete("deleted")
    await cache.increment("deleted", ttl=MINUTE)
    await cache.set("set", "1", ttl=MINUTE)
    await cache.increment("set", ttl=2 * MINUTE)
    await cache.add("added", "1", ttl=MINUTE)
    await cache.increment("added", ttl=2 * MINUTE)
    await cache.increment("zero", by=5, ttl=MINUTE)
    await cache.increment("zero", by=-5, ttl=2 * MINUTE)
    await gone_exactly_after(trial, MINUTE, cache, "new", "many", "twice", "popped", "deleted", "set", "added", "zero")


@clause(
    "C-016",
    needs=["time"],
    means="A link or a lock ends up to a second early or late, or after days instead of a month.",
    cause="Lifetimes are rounded to seconds, or overflow 32 bits of milliseconds.",
)
async def milliseconds_and_days(trial: Trial) -> None:
    """Lifetimes below a second and of 30 days are honoured to the millisecond."""
    cache = await trial.cache()
    await warm(cache)
    milliseconds = (2, 999, 1_500, 30 * 24 * 3_600_000 + 1, 30 * 24 * 3_600_000 + 500)
    for number, ttl in enumerate(timedelta(milliseconds=each) for each in milliseconds):

        async def put(round_: int, number: int = number, ttl: timedelta = ttl) -> list[str]:
            keys = [f"{name}-{number}-{round_}" for name in ("set", "added", "counter")]
            await cache.set(keys[0], "value", ttl=ttl)
            await cache.add(keys[1], "value", ttl=ttl)
            await cache.increment(keys[2], ttl=ttl)
            return keys

        await _alive_shortly_before(trial, ttl, cache, put)
        keys = await put(-1)
        await trial.elapse(ttl)
        same(await cache.get_many(keys), [None] * 3, f"keys with a lifetime of {ttl} were readable at their deadline")


async def _alive_shortly_before(
    trial: Trial, ttl: timedelta, cache: Cache, put: Callable[[int], Awaitable[list[str]]]
) -> None:
    """Read keys before their deadline: 1 ms by an injected clock; on a server, by the least margin that it allows."""
    margins = (MOMENT,) if trial.capabilities.clock == "injected" else _MARGINS
    for number, margin in enumerate(each for each in margins if each < ttl):
        start = time.monotonic()
        keys = await put(number)
        await trial.elapse(ttl - margin)
        alive = [value is not None for value in await cache.get_many(keys)]
        if all(alive):
            return
        if margin is MOMENT or time.monotonic() - start < margin.total_seconds():
            raise Violation(f"keys with a lifetime of {ttl} were gone {margin} before their deadline", alive=alive)


@clause(
    "C-017",
    needs=["time"],
    means="A wrong setting makes a token immortal, or deletes what it should keep.",
    cause="`checks.check_entry` is not called: engines take 0 and negative lifetimes for `for ever` or `delete`.",
)
async def no_lifetime(trial: Trial) -> None:
    """A lifetime ≤ 0, or one that is no timedelta, is `InvalidValue` and changes nothing."""
    cache = await trial.cache()
    await cache.set("live", "5", ttl=MINUTE)
    wrong = (timedelta(0), -MOMENT, -MINUTE, timedelta.min, 60, 0.5, None, "60")
    for ttl in cast("tuple[timedelta, ...]", wrong):
        for key, value in (("live", "5"), ("absent", None)):
            await raised(InvalidValue, cache.set(key, "6", ttl=ttl), f"set took the lifetime {ttl!r}")
            await raised(InvalidValue, cache.add(key, "6", ttl=ttl), f"add took the lifetime {ttl!r}")
            await raised(InvalidValue, cache.increment(key, ttl=ttl), f"increment took the lifetime {ttl!r}")
            await raised(InvalidValue, cache.increment_many([key], ttl=ttl), f"increment_many took {ttl!r}")
            same(await cache.get(key), value, "a refused lifetime changed the value")
    await gone_exactly_after(trial, MINUTE, cache, "live")


@clause(
    "C-019",
    needs=["time"],
    means="A reset link that is polled never expires.",
    cause="A cache whose reads refresh the lifetime (`GETEX`, sliding expiry).",
)
async def reading_never_extends(trial: Trial) -> None:
    """Reading never extends a lifetime."""
    cache = await trial.cache()
    await cache.set("key", "value", ttl=MINUTE)
    await cache.increment("counter", ttl=MINUTE)
    for _ in range(3):
        await trial.elapse(MINUTE / 4)
        await cache.get("key")
        await cache.get_many(["key", "counter", "key"])
    await gone_exactly_after(trial, MINUTE / 4, cache, "key", "counter")
