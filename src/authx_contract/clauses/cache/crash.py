"""Calls that are cancelled at any of their awaits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from itertools import product
from typing import Any, Final

from authx_contract.basics.expect import holds, same
from authx_contract.clause import clause
from authx_contract.probes.cancelled import cancelled_or_done, promptly
from authx_contract.probes.sweep import LANDING, sweep
from authx_contract.samples.entries import MINUTE, warm
from authx_contract.trial import Trial
from authx_core.ports import Cache

_TIMES: Final = 3
"""Sweeps in a row, because a pool can lose more than one connection."""
_SWEEPS: Final = 6
"""Sweeps, since the awaits of a driver vary: a reply may have arrived already. Each cut has its own key."""


@clause(
    "C-050",
    level=2,
    kind="crash",
    means="A few people who close their browsers early bring logging in to a halt for everybody.",
    cause="A connection or lock that is not given back when `CancelledError` passes: use `finally`.",
)
async def usable(trial: Trial) -> None:
    """A cancelled operation leaves the handle usable and leaks nothing."""
    cache = await trial.cache()
    await warm(cache)
    await cache.set("key", "value", ttl=MINUTE)
    operations: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "get": lambda: cache.get("key"),
        "get_many": lambda: cache.get_many(["absent", "key"]),
        "set": lambda: cache.set("other", "1", ttl=MINUTE),
        "add": lambda: cache.add("other", "1", ttl=MINUTE),
        "increment": lambda: cache.increment("counter", ttl=MINUTE),
        "increment_many": lambda: cache.increment_many(["counter", "another"], ttl=MINUTE),
        "pop": lambda: cache.pop("other"),
        "delete": lambda: cache.delete("counter"),
    }
    for _ in range(_TIMES):
        for name, operate in operations.items():
            async for cut in sweep(operate, landing=0):
                cancelled_or_done(cut, name)
                when = f"after {name} was cancelled at its await {cut.at}"
                same(await promptly(cache.get("key"), when), "value", f"the handle answers wrongly {when}")


@clause(
    "C-051",
    level=2,
    kind="crash",
    needs=["time"],
    means="A person is locked out for ever, since the count of failures never ends.",
    cause="`INCR`, then `EXPIRE`: do both in one step, as a script does.",
)
async def counters(trial: Trial) -> None:
    """A cancelled `increment` or `add` leaves nothing without a deadline."""
    cache, other = await trial.caches(2)
    keys = list[str]()
    operations: tuple[Callable[[str], Coroutine[Any, Any, object]], ...] = (
        lambda key: cache.increment(key, ttl=MINUTE),
        lambda key: cache.increment_many([key, f"{key}-too"], ttl=MINUTE),
        lambda key: cache.add(key, "1", ttl=MINUTE),
    )
    for number, operate in product(range(_SWEEPS), operations):
        newest = _on_the_newest(operate, keys)
        async for cut in sweep(newest, _new_key(cache, keys), landing=0, at_once=bool(number % 2)):
            cancelled_or_done(cut, "an operation")
    await asyncio.sleep(LANDING)
    holds(set(await other.get_many(keys)) <= {None, "1"}, "a cancelled operation left a value that no call stored")
    await trial.elapse(MINUTE)
    left = {key for key in keys for each in (key, f"{key}-too") if await other.get(each) is not None}
    same(left, set[str](), "keys of cancelled operations stay after their deadline")


@clause(
    "C-052",
    level=2,
    kind="crash",
    needs=["time"],
    means="A reset link lives for ever, or ends with the lifetime of an older one.",
    cause="The value and its lifetime are stored in two steps.",
)
async def half_set(trial: Trial) -> None:
    """A cancelled `set` is all or nothing: the old value with its lifetime, or the new one with its own."""
    cache, other = await trial.caches(2)
    keys = list[str]()
    new_key = _new_key(cache, keys)

    async def prepare() -> None:
        await new_key()
        await other.set(keys[-1], "old", ttl=MINUTE)

    for number in range(_SWEEPS):
        set_ = _on_the_newest(lambda key: cache.set(key, "new", ttl=3 * MINUTE), keys)
        async for cut in sweep(set_, prepare, landing=0, at_once=bool(number % 2)):
            cancelled_or_done(cut, "set")
    await asyncio.sleep(LANDING)
    values = dict(zip(keys, await other.get_many(keys), strict=True))
    same(set(values.values()) - {"old", "new"}, set[str](), "a cancelled set left neither the old value nor the new")
    same(values[keys[-1]], "new", "a set that completed was not stored")
    await trial.elapse(MINUTE)
    for key, value in values.items():
        same(await other.get(key), "new" if value == "new" else None, "a cancelled set mixed a value and a lifetime")
    await trial.elapse(2 * MINUTE)
    same(await _live(other, keys), [], "keys of a cancelled set stay after their deadline")


def _new_key(cache: Cache, keys: list[str]) -> Callable[[], Awaitable[None]]:
    """Add a key for the next cut; use the handle, so that it has a connection again and operations as many awaits."""

    async def add() -> None:
        await warm(cache)
        keys.append(f"key-{len(keys)}")

    return add


def _on_the_newest(
    operate: Callable[[str], Coroutine[Any, Any, object]], keys: list[str]
) -> Callable[[], Coroutine[Any, Any, object]]:
    return lambda: operate(keys[-1])


async def _live(cache: Cache, keys: list[str]) -> list[str]:
    return [key for key, value in zip(keys, await cache.get_many(keys), strict=True) if value is not None]
