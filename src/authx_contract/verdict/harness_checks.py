"""Checks of the harness, before any clause: a suite that tests the wrong data proves nothing.

Only the harness is judged here. If the adapter raises, its clauses report that.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from authx_contract.basics.violation import Violation
from authx_contract.harness import Harness, overrides, ports
from authx_contract.never_suspends import unwrapped
from authx_contract.samples.entries import MINUTE
from authx_contract.samples.users import full_user
from authx_contract.trial import Trial
from authx_contract.verdict.run import HarnessFailed, in_own_loop
from authx_core.ports import Cache, Clock, PasswordHasher, UserStore

_HOUR: Final = timedelta(hours=1)
_MARGINS: Final = (timedelta(milliseconds=50), timedelta(milliseconds=500), timedelta(seconds=5))
"""How long before its deadline a key is read. If the server answers later than that, the next margin is tried."""


class Dishonest(Exception):
    """The harness does not do what it declares."""


class CannotStart(Exception):
    """The harness cannot be used."""


def check_harness(harness: type[Harness], *, namespace: str = "authx-contract") -> list[str]:
    """Raise `Dishonest` or `CannotStart`, or return notes on what could not be checked."""
    checks = [(port, check) for port in ports(harness) for check in _CHECKS.get(port, ())]
    for port, check in [*((port, _OPENINGS[port]) for port in ports(harness)), *checks]:
        error = in_own_loop(harness, check, seed=0, namespace=namespace)
        if isinstance(error, Dishonest | CannotStart):
            raise error
        if isinstance(error, HarnessFailed):
            raise CannotStart(str(error)) from error
        if check is _OPENINGS[port] and error is not None and not isinstance(error, Violation):
            raise CannotStart(f"`open_{port}` raised {type(error).__name__}: {error}") from error
    if harness.capabilities.namespaced:
        _check_isolation(harness, namespace)
        return []
    return ["whether `reset` spares other data: declare `namespaced`, and keep all data within `self.namespace`"]


def _opening(kind: type, open_: Callable[[Trial], Awaitable[object]]) -> Callable[[Trial], Awaitable[None]]:
    """Open a handle and check that it has every method; one that does not inherit from its port may lack some."""

    async def check(trial: Trial) -> None:
        handle = unwrapped(await open_(trial))
        missing = [f"`{name}`" for name in vars(kind) if not name.startswith("_") and not hasattr(handle, name)]
        if missing:
            raise CannotStart(
                f"the harness opened {type(handle).__name__} as a {kind.__name__}: it has no {', '.join(missing)}"
            )

    return check


_OPENINGS: Final[dict[str, Callable[[Trial], Awaitable[None]]]] = {
    "users": _opening(UserStore, Trial.users),
    "cache": _opening(Cache, Trial.cache),
    "clock": _opening(Clock, Trial.timepiece),
    "hasher": _opening(PasswordHasher, Trial.hasher),
}


async def _users_handles(trial: Trial) -> None:
    first, second = await trial.many_users(2)
    _different(trial, first, second, "open_users")
    ann = await first.create(full_user("ann"))
    if await first.get(ann.id) is not None and await second.get(ann.id) is None:
        raise Dishonest("what one handle of `open_users` stores, another does not see: they reach different data")


async def _users_reset(trial: Trial) -> None:
    store = await trial.users()
    user = await store.create(full_user(secrets.token_hex(8)))  # no earlier run stored these keys
    await store.set_blackout(user.created_at)
    await trial.harness.reset()
    store = await trial.users()
    if await store.get(user.id) is not None or await store.get_blackout() is not None:
        raise Dishonest("`reset` left a user or the blackout behind")


async def _cache_handles(trial: Trial) -> None:
    first, second = await trial.caches(2)
    _different(trial, first, second, "open_cache")
    await first.set("key", "value", ttl=_HOUR)
    if await first.get("key") is not None and await second.get("key") is None:
        raise Dishonest("what one handle of `open_cache` keeps, another does not see: they reach different data")


async def _cache_reset(trial: Trial) -> None:
    cache = await trial.cache()
    await cache.set("key", "value", ttl=_HOUR)
    await cache.increment("counter", ttl=_HOUR)
    await trial.harness.reset()
    cache = await trial.cache()
    if await cache.get_many(["key", "counter"]) != [None, None]:
        raise Dishonest("`reset` left a key behind")


async def _cache_rewind(trial: Trial) -> None:
    """Move deadlines of `set`, `add` and `increment`; if even one moves correctly, the harness is not to blame."""
    if trial.capabilities.clock != "server" or not overrides(type(trial.harness), "rewind"):
        return
    cache = await trial.cache()
    await cache.set("warm", "value", ttl=_HOUR)

    async def put(number: int) -> list[str]:
        keys = [f"{name}-{number}" for name in ("set", "add", "counter")]
        await cache.set(keys[0], "1", ttl=_HOUR)
        await cache.add(keys[1], "1", ttl=_HOUR)
        await cache.increment(keys[2], ttl=_HOUR)
        return keys

    if not any(value is not None for value in await cache.get_many(await put(-2))):
        return
    if not any(await _alive_before(trial, cache, put)):
        raise Dishonest("`rewind` moved deadlines further back than it was asked to, or deleted the keys")
    keys = await put(-1)
    await trial.harness.rewind(_HOUR)
    late = [value is not None for value in await cache.get_many(keys)]
    if all(late):
        raise Dishonest("`rewind` moved deadlines less far back than it was asked to, or not at all")


async def _alive_before(trial: Trial, cache: Cache, put: Callable[[int], Awaitable[list[str]]]) -> list[bool]:
    """Return which keys are alive before their deadline, by the smallest margin at which the server answers in time."""
    alive: list[bool] = []
    for number, margin in enumerate(_MARGINS):
        start = time.monotonic()
        keys = await put(number)
        await trial.harness.rewind(_HOUR - margin)
        alive = [value is not None for value in await cache.get_many(keys)]
        if any(alive) or time.monotonic() - start < margin.total_seconds():
            break
    return alive


_CHECKS: Final[dict[str, tuple[Callable[[Trial], Awaitable[None]], ...]]] = {
    "users": (_users_handles, _users_reset),
    "cache": (_cache_handles, _cache_reset, _cache_rewind),
}


def _different(trial: Trial, first: object, second: object, opening: str) -> None:
    one = unwrapped(first) is unwrapped(second)
    if one and not trial.capabilities.shared_handle:
        raise Dishonest(
            f"`{opening}` returns the same object every time, but each racer needs its own handle "
            "(an adapter in memory may declare `shared_handle`)"
        )
    if not one and trial.capabilities.shared_handle:
        raise Dishonest(f"`{opening}` returns different objects, though the harness declares `shared_handle`")


def _check_isolation(harness: type[Harness], namespace: str) -> None:
    """Reset one of two instances, of which one namespace is a prefix of the other; the other must keep its data."""
    neighbour = harness()
    neighbour.namespace = f"{namespace}:b"

    async def isolated(trial: Trial) -> None:
        try:
            await neighbour.reset()
            for theirs, ours in ((trial, Trial(neighbour)), (Trial(neighbour), trial)):
                await _check_spared(theirs, ours)
        finally:
            await neighbour.reset()
            await neighbour.close()

    error = in_own_loop(harness, isolated, seed=0, namespace=namespace)
    if isinstance(error, Dishonest):
        raise error


async def _check_spared(theirs: Trial, ours: Trial) -> None:
    """Raise `Dishonest` if a reset of ours deletes theirs."""
    given, ann, lost = ports(type(theirs.harness)), full_user("ann"), False
    if "users" in given:
        ann = await (await theirs.users()).create(ann)
    if "cache" in given:
        await (await theirs.cache()).set("key", "value", ttl=MINUTE)
    await ours.harness.reset()
    if "users" in given:
        lost = await (await theirs.users()).get(ann.id) is None
    if "cache" in given:
        lost = lost or await (await theirs.cache()).get("key") is None
    if lost:
        raise Dishonest("`reset` emptied another namespace too")
    await theirs.harness.reset()
