"""Calls through `connect` end in time when a server hangs, and succeed again when it answers."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

import servers
from authx_adapters import open_users, open_users_blocking
from authx_core import BlockingUsersRepo, CacheUnavailable, PortUnavailable, StoreUnavailable, UsersRepo, run
from servers.spaces import DatabaseKind
from wire import Relay

T = TypeVar("T")

TIMEOUT: Final = 1.0
BUSY: Final = 12.0
"""Seconds that a busy machine may add; the drivers' defaults are 30 or more, or no timeout."""
URLS: Final[list[tuple[DatabaseKind, str, bool]]] = [
    ("postgres", "postgresql", True),
    ("postgres", "postgresql+psycopg", False),
    ("mariadb", "mariadb", True),
    ("mariadb", "mariadb+aiomysql", False),
    ("mariadb", "mariadb+pymysql", False),
    ("mongodb", "mongodb", True),
]
"""Servers, schemes, and whether to test blocking callers too: they have one driver for each server."""
NO_HEARTBEAT: Final = "&heartbeatFrequencyMS=120000"
"""Delays PyMongo's heartbeat, which otherwise notices after ten seconds that a server hangs, and ends the calls."""


async def until(call: Callable[[], Awaitable[T]]) -> T:
    """Repeat a call until it succeeds."""
    end = time.monotonic() + 60
    while True:
        try:
            return await call()
        except PortUnavailable:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.05)


async def ends_in_time(call: Awaitable[object], error: type[PortUnavailable]) -> None:
    start = time.monotonic()
    with pytest.raises(error):
        await call
    assert time.monotonic() - start < TIMEOUT + BUSY


async def refusal(call: Callable[[], Awaitable[object]]) -> CacheUnavailable:
    with pytest.raises(CacheUnavailable) as refused:
        await call()
    return refused.value


class Opener:
    """Opens the same facade for asynchronous and for blocking callers, and closes it at the end."""

    def __init__(self, stack: AsyncExitStack, url: str, **options: Any) -> None:
        self._stack, self._url, self._options = stack, url, {"timeout": TIMEOUT, "cache_timeout": TIMEOUT, **options}

    async def asynchronous(self) -> UsersRepo:
        users: UsersRepo = await open_users(self._url, **self._options)
        self._stack.push_async_callback(users.aclose)
        return users

    async def blocking(self) -> UsersRepo:
        users: BlockingUsersRepo = await asyncio.to_thread(open_users_blocking, self._url, **self._options)
        self._stack.push_async_callback(asyncio.to_thread, users.close)
        return users.users


def calls(users: UsersRepo, blocking: UsersRepo | None) -> list[tuple[Callable[[], Awaitable[object]], Any]]:
    """Return a call to each store and cache, with the error that it raises when the server hangs."""
    found: list[tuple[Callable[[], Awaitable[object]], Any]] = [
        (lambda: users.database.get("ann"), StoreUnavailable),
        (lambda: users.cache.get("key"), CacheUnavailable),
    ]
    if blocking is not None:
        found += [
            (lambda: asyncio.to_thread(lambda: run(blocking.database.get("ann"))), StoreUnavailable),
            (lambda: asyncio.to_thread(lambda: run(blocking.cache.get("key"))), CacheUnavailable),
        ]
    return found


@pytest.mark.parametrize(("kind", "scheme", "also_blocking"), URLS)
async def test_calls_to_a_hanging_store_and_cache_end_in_time(
    kind: DatabaseKind, scheme: str, *, also_blocking: bool
) -> None:
    async with AsyncExitStack() as stack:
        url = stack.enter_context(servers.database(kind))
        relay = stack.enter_context(Relay(url))
        url = f"{scheme}://{relay.url.partition('://')[2]}{NO_HEARTBEAT if kind == 'mongodb' else ''}"
        opener = Opener(stack, url, cache_url=url)
        users = await until(opener.asynchronous)
        blocking = await until(opener.blocking) if also_blocking else None
        found = calls(users, blocking)
        await asyncio.gather(*(until(call) for call, _ in found))
        relay.freeze()
        opening = [opener.asynchronous(), *([opener.blocking()] if also_blocking else [])]
        await asyncio.gather(
            *(ends_in_time(call(), error) for call, error in found),
            *(ends_in_time(each, StoreUnavailable) for each in opening),
        )
        relay.thaw()
        await asyncio.gather(*(until(call) for call, _ in found))


async def test_a_hanging_redis_is_probed_once_a_second() -> None:
    async with AsyncExitStack() as stack:
        relay = stack.enter_context(Relay(servers.url("redis")))
        opener = Opener(stack, "memory://", cache_url=relay.url)
        users, blocking = await opener.asynchronous(), await opener.blocking()
        caches = [call for call, error in calls(users, blocking) if error is CacheUnavailable]
        await asyncio.gather(*(until(call) for call in caches))
        relay.freeze()
        await asyncio.gather(*(ends_in_time(call(), CacheUnavailable) for call in caches))
        refusals = [str(await refusal(caches[0])) for _ in range(5)]
        assert any("a moment ago" in message for message in refusals), "no call was refused by the circuit breaker"
        relay.thaw()
        await asyncio.gather(*(until(call) for call in caches))


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
async def test_writes_to_a_locked_sqlite_file_end_in_time_and_reads_continue(scheme: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        opener = Opener(stack, f"{scheme}:///{tmp_path}/users.db", timeout=3)
        users = await opener.asynchronous()
        other = sqlite3.connect(tmp_path / "users.db", isolation_level=None)
        stack.callback(other.close)
        other.execute("BEGIN IMMEDIATE")
        writes = [asyncio.create_task(users.database.delete(str(number))) for number in range(8)]
        await asyncio.sleep(0)
        for _ in range(5):
            assert await users.database.get("ann") is None
        if scheme == "sqlite":
            assert not any(write.done() for write in writes)
        await asyncio.gather(*(ends_in_time(write, StoreUnavailable) for write in writes[:1]))
        other.execute("ROLLBACK")
        await asyncio.gather(*writes, return_exceptions=True)
        assert await until(lambda: users.database.delete("ann")) is False
