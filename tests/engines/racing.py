"""The work of one of several processes that race on one server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from threading import Barrier
from traceback import format_exc
from typing import Any, Final, TypeAlias, TypeVar

from authx_adapters.clock import ManualClock
from authx_core import IdentifierTaken, SocialIdentity, StaleUser, User, run
from authx_core.ports import Cache, UserStore
from engines.drivers import DRIVERS, SQL, Driver

P = TypeVar("P")
Task: TypeAlias = Callable[[P, int], Coroutine[Any, Any, Any]]

RACERS: Final = 16
"""Threads or tasks of each process."""
TIMEOUT: Final = 60.0
"""Seconds after which a racer counts as hung."""
MINUTE: Final = timedelta(minutes=1)
NOW: Final = datetime(2026, 1, 1, tzinfo=timezone.utc)
ROUNDS: Final = range(3)
KINDS: Final = ("email", "username", "identities")
WON: Final = frozenset({"won"})


def new_user(user_id: str, **fields: Any) -> User:
    return User(id=user_id, created_at=NOW, **fields)


def claiming(kind: str, key: str) -> Any:
    match kind:
        case "email":
            return {"email_key": key}
        case "username":
            return {"username_key": key}
        case _:
            return {"identities": (SocialIdentity("provider", key), SocialIdentity("another", key))}


async def create_one_id(store: UserStore, _: int) -> list[frozenset[str]]:
    return [await _outcome(store.create(new_user(f"id {number}"))) for number in ROUNDS]


async def create_one_key(store: UserStore, racer: int) -> list[frozenset[str]]:
    return [
        await _outcome(store.create(new_user(f"{kind} {number} {racer}", **claiming(kind, f"new {number}"))))
        for kind in KINDS
        for number in ROUNDS
    ]


async def update_to_one_key(store: UserStore, racer: int) -> list[frozenset[str]]:
    return [
        await _outcome(store.update(f"racer {racer} {number}", claiming(kind, f"changed {number}")))
        for kind in KINDS
        for number in ROUNDS
    ]


async def _outcome(call: Awaitable[User]) -> frozenset[str]:
    """Return the fields that were taken, or `WON`."""
    try:
        await call
    except IdentifierTaken as error:
        return error.fields
    return WON


async def compare_and_set(store: UserStore, racer: int) -> int:
    """Add a permission and raise the epoch, and retry until it succeeds; return the new version."""
    while True:
        user = await store.get("shared")
        assert user
        more = user.permissions | {str(racer)}
        try:
            user = await store.update(
                "shared", {"permissions": more, "epoch": user.epoch + 1}, expected={"permissions": user.permissions}
            )
        except StaleUser:
            continue
        return user.version


async def delete_users(store: UserStore, _: int) -> list[bool]:
    return [await store.delete(f"doomed {number}") for number in ROUNDS]


async def count(cache: Cache, racer: int) -> list[dict[str, int]]:
    """Increment three counters, two of them in one call and in either order."""
    keys = ["a", "b"] if racer % 2 else ["b", "a"]
    counts = list[dict[str, int]]()
    for _ in ROUNDS:
        both = await cache.increment_many(keys, ttl=MINUTE)
        counts.append({"alone": await cache.increment("alone", ttl=MINUTE)} | dict(zip(keys, both, strict=True)))
    return counts


async def pop(cache: Cache, _: int) -> list[str | None]:
    return [await cache.pop(f"popped {number}") for number in ROUNDS]


async def add(cache: Cache, racer: int) -> list[bool]:
    return [await cache.add(f"added {number}", str(racer), ttl=MINUTE) for number in ROUNDS]


async def delete_entries(cache: Cache, _: int) -> list[bool]:
    return [await cache.delete(f"deleted {number}") for number in ROUNDS]


USERS: Final[Sequence[Task[UserStore]]] = (
    create_one_id,
    create_one_key,
    update_to_one_key,
    compare_and_set,
    delete_users,
)
CACHE: Final[Sequence[Task[Cache]]] = (count, pop, add, delete_entries)


def race(name: str, url: str, process: int, together: Barrier) -> dict[str, list[Any]]:
    """Run each task on all racers of this process, at the same time as in the other processes."""
    racers = range(process * RACERS, (process + 1) * RACERS)
    try:
        return asyncio.run(_race(DRIVERS[name], url, racers, together))
    except Exception as error:
        together.abort()
        raise ChildProcessError(format_exc()) from error


async def _race(driver: Driver, url: str, racers: Sequence[int], together: Barrier) -> dict[str, list[Any]]:
    results: dict[str, list[Any]] = {}
    async with driver.client(url, **for_many(driver)) as client:
        ports: list[tuple[Any, Sequence[Task[Any]]]] = [(driver.cache(client, url, ManualClock()), CACHE)]
        if driver.keeps_users:
            ports.append((driver.users(client, url), USERS))
        for port, tasks in ports:
            for task in tasks:
                results[task.__name__] = (
                    _on_threads(port, task, racers, together)
                    if driver.blocking
                    else await _as_tasks(port, task, racers, together)
                )
    return results


def for_many(driver: Driver) -> dict[str, Any]:
    """Return options that give each racer its own connection, and SQLite a lock timeout long enough for all."""
    if driver not in SQL:
        return {}
    return {"pool_size": RACERS} | ({} if driver.kind else {"connect_args": {"timeout": TIMEOUT}})


def _on_threads(port: P, task: Task[P], racers: Sequence[int], together: Barrier) -> list[Any]:
    def meet() -> None:
        together.wait(TIMEOUT)

    ready = Barrier(len(racers), meet, TIMEOUT)

    def racer(number: int) -> Any:
        run(_warm(port))
        ready.wait()
        return run(task(port, number))

    with ThreadPoolExecutor(len(racers)) as threads:
        return list(threads.map(racer, racers))


async def _as_tasks(port: P, task: Task[P], racers: Sequence[int], together: Barrier) -> list[Any]:
    await asyncio.gather(*(_warm(port) for _ in racers))
    together.wait(TIMEOUT)
    return await asyncio.gather(*(task(port, number) for number in racers))


async def _warm(port: Any) -> None:
    """Open a connection before the race, since that takes longer than the raced call."""
    await port.get("warm")
