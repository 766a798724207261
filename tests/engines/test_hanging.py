"""What `connect` opens, on a server that stops answering: calls end in time, and work again after its return."""

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
"""Seconds that a busy machine may add; the drivers alone wait for 30 or more, or for ever."""
URLS: Final[list[tuple[DatabaseKind, str, bool]]] = [
    ("postgres", "postgresql", True),
    ("postgres", "postgresql+psycopg", False),
    ("mariadb", "mariadb", True),
    ("mariadb", "mariadb+aiomysql", False),
    ("mariadb", "mariadb+pymysql", False),
    ("mongodb", "mongodb", True),
]
"""Servers, schemes, and whether blocking callers are tried too: they have one driver for each server."""
UNNOTICED: Final = "&heartbeatFrequencyMS=120000"
"""By default, PyMongo's heartbeat notices after ten seconds that a server hangs, and ends its calls."""


async def until(call: Callable[[], Awaitable[T]]) -> T:
    """Make a call again until there is an answer."""
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


class Colours:
    """The same facade for asynchronous callers and for blocking ones, which call in a thread here."""

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
    """Return a call of each store and cache, with its error."""
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
async def test_a_store_and_a_cache_that_hang(kind: DatabaseKind, scheme: str, *, also_blocking: bool) -> None:
    async with AsyncExitStack() as stack:
        url = stack.enter_context(servers.database(kind))
        relay = stack.enter_context(Relay(url))
        url = f"{scheme}://{relay.url.partition('://')[2]}{UNNOTICED if kind == 'mongodb' else ''}"
        colours = Colours(stack, url, cache_url=url)
        users = await until(colours.asynchronous)
        blocking = await until(colours.blocking) if also_blocking else None
        found = calls(users, blocking)
        await asyncio.gather(*(until(call) for call, _ in found))
        relay.freeze()
        opening = [colours.asynchronous(), *([colours.blocking()] if also_blocking else [])]
        await asyncio.gather(
            *(ends_in_time(call(), error) for call, error in found),
            *(ends_in_time(each, StoreUnavailable) for each in opening),
        )
        relay.thaw()
        await asyncio.gather(*(until(call) for call, _ in found))


async def test_a_redis_that_hangs_is_asked_once_a_second() -> None:
    async with AsyncExitStack() as stack:
        relay = stack.enter_context(Relay(servers.url("redis")))
        colours = Colours(stack, "memory://", cache_url=relay.url)
        users, blocking = await colours.asynchronous(), await colours.blocking()
        caches = [call for call, error in calls(users, blocking) if error is CacheUnavailable]
        await asyncio.gather(*(until(call) for call in caches))
        relay.freeze()
        await asyncio.gather(*(ends_in_time(call(), CacheUnavailable) for call in caches))
        refusals = [str(await refusal(caches[0])) for _ in range(5)]
        assert any("a moment ago" in said for said in refusals), "one may be the probe, on a machine that is busy"
        relay.thaw()
        await asyncio.gather(*(until(call) for call in caches))


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
async def test_writes_to_a_locked_file_end_in_time_and_reads_go_on(scheme: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        colours = Colours(stack, f"{scheme}:///{tmp_path}/users.db", timeout=3)
        users = await colours.asynchronous()
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
