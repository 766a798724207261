"""A server that is killed and started again has all that it acknowledged, and its clients go on as they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta, timezone
from functools import cache
from threading import Event, Thread
from typing import Any, Final

import pytest

import servers
from authx_adapters.clock import SystemClock
from authx_core import CacheUnavailable, EmailTaken, StoreUnavailable, User, UserQuery, run
from authx_core.domain import uuid7_text
from engines.drivers import DRIVERS, Driver, prepare
from servers.mongodb import ReplicaSet
from servers.redis import Cluster

REGISTRATIONS: Final = 1000
BEFORE: Final = 300
"""Registrations that are acknowledged before the server is killed."""
AT_ONCE: Final = 8
PATIENCE: Final = 60
"""Seconds in which everybody is served, the server's recovery included."""
MINUTE: Final = timedelta(minutes=1)

Call = Callable[[int], Coroutine[Any, Any, None]]
STORES: Final = ("psycopg", "asyncpg", "async-psycopg", "pymysql", "asyncmy", "aiomysql")
STORES_OF_DOCUMENTS: Final = ("pymongo", "async-pymongo", "pymongo-set", "async-pymongo-set")
NOBODY_LISTENS: Final[dict[servers.Kind, str]] = {
    "postgres": "postgresql://postgres@127.0.0.1:1/test",
    "mariadb": "mariadb://root@127.0.0.1:1/test",
}
CACHES: Final = ("redis", "async-redis", "redis-cluster", "async-redis-cluster")


@pytest.fixture(scope="module")
def private() -> Iterator[Callable[[servers.Kind], Any]]:
    """Lend one server of each kind to the tests here, who kill it one after the other."""
    with ExitStack() as stack:
        yield cache(lambda kind: stack.enter_context(servers.private(kind)))


class Crash(Thread):
    """Kills a server, or the member of a group that matters, when that is due; starts it again when it was noticed."""

    def __init__(self, server: Any) -> None:
        super().__init__()
        self._server = server
        self.due, self.noticed = Event(), Event()

    def run(self) -> None:
        self.due.wait(PATIENCE)
        match self._server:
            case ReplicaSet():
                self._server.kill_primary()
            case Cluster():
                self._server.kill_master(1)
            case _:
                self._server.kill()
                self.noticed.wait(PATIENCE)
        self._server.start()


@pytest.mark.parametrize("driver", [DRIVERS[name] for name in (*STORES, *STORES_OF_DOCUMENTS)], ids=str)
async def test_whoever_was_registered_as_the_server_was_killed_is_there_once(
    driver: Driver, private: Callable[[servers.Kind], Any]
) -> None:
    assert driver.kind
    server = private(driver.kind)
    with driver.space(server.url) as url:
        async with driver.client(url) as client:
            store = driver.users(client, url)
            await prepare(store)
            acknowledged = list[User]()
            crash = Crash(server)

            async def register(number: int) -> None:
                """Try until it is done, with a new id each time, as if nobody knew of an earlier try."""
                tries = 0
                while True:
                    tries += 1
                    try:
                        acknowledged.append(await store.create(newcomer(number)))
                    except StoreUnavailable:
                        crash.noticed.set()
                        await pause(driver)
                        continue
                    except EmailTaken:
                        assert tries > 1, "nobody else has this address"
                    break
                if len(acknowledged) > BEFORE:
                    crash.due.set()

            crash.start()
            await several_at_once(driver, register)
            crash.join()
            assert crash.noticed.is_set() or driver.kind == "mongodb-replica-set"
            assert await store.count(UserQuery()) == REGISTRATIONS
        async with driver.client(url) as client:
            found = {user.email_key: user for user in await driver.users(client, url).search(UserQuery(), limit=1000)}
            assert len(found) == REGISTRATIONS
            assert [user for user in acknowledged if found[user.email_key] != user] == []


@pytest.mark.parametrize("driver", [DRIVERS[name] for name in CACHES], ids=str)
async def test_a_cache_whose_server_was_killed_serves_again(
    driver: Driver, private: Callable[[servers.Kind], Any]
) -> None:
    assert driver.kind
    server = private(driver.kind)
    with driver.space(server.url) as url:
        async with driver.client(url) as client:
            cache, crash = driver.cache(client, url, SystemClock()), Crash(server)

            async def use(number: int) -> None:
                deadline = time.monotonic() + PATIENCE
                while time.monotonic() < deadline:
                    served_after = not crash.is_alive()
                    try:
                        await cache.set(f"{number}", f"value {number}", ttl=MINUTE)
                        await cache.increment_many([f"{number} {n}" for n in range(4)], ttl=MINUTE)
                        assert await cache.get(f"{number}") in (f"value {number}", None)
                    except CacheUnavailable:
                        crash.noticed.set()
                        await pause(driver)
                    else:
                        crash.due.set()
                        if served_after:
                            break

            crash.start()
            await several_at_once(driver, use, AT_ONCE)
            crash.join()
            assert crash.noticed.is_set()


@pytest.mark.parametrize("driver", [DRIVERS[name] for name in STORES], ids=str)
async def test_connections_that_died_unused_are_replaced(
    driver: Driver, private: Callable[[servers.Kind], Any]
) -> None:
    """On an engine as SQLAlchemy makes it, where even taking a connection asks the server something."""
    assert driver.kind
    server = private(driver.kind)
    with driver.space(server.url) as url:
        async with driver.client(url, isolation_level=None, skip_autocommit_rollback=False) as client:
            store = driver.users(client, url)
            await prepare(store)
            ana = await store.create(newcomer(1))

            async def read(_: int) -> None:
                assert await store.get(ana.id) == ana

            await several_at_once(driver, read, AT_ONCE)
            server.kill()
            server.start()
            for _ in range(client.pool.checkedin()):
                with suppress(StoreUnavailable):
                    await read(0)
            await several_at_once(driver, read, AT_ONCE)


@pytest.mark.parametrize("driver", [DRIVERS[name] for name in STORES], ids=str)
async def test_a_database_that_is_not_there_is_unavailable(driver: Driver) -> None:
    """Where it is the driver itself that complains, before SQLAlchemy has a connection."""
    assert driver.kind
    with driver.space() as url:
        for nowhere in (f"{url}_missing", NOBODY_LISTENS[driver.kind]):
            async with driver.client(nowhere) as client:
                with pytest.raises(StoreUnavailable):
                    await driver.users(client, nowhere).count(UserQuery())


async def pause(driver: Driver) -> None:
    """Give the server a moment before one asks again."""
    if driver.blocking:
        Event().wait(0.01)
    else:
        await asyncio.sleep(0.01)


def newcomer(number: int) -> User:
    now = datetime.now(timezone.utc)
    return User(
        id=uuid7_text(now), email_key=f"{number}@example.com", username_key=f"newcomer-{number}", created_at=now
    )


async def several_at_once(driver: Driver, call: Call, times: int = REGISTRATIONS) -> None:
    """Make calls, some of them at a time: from tasks, or from threads."""
    numbers = iter(range(times))
    if driver.blocking:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(lambda number: run(call(number)), numbers, timeout=PATIENCE))
        return

    async def work() -> None:
        for number in numbers:
            await call(number)

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(work())
