"""A server that is killed and restarted keeps all acknowledged writes, and clients reconnect by themselves."""

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
"""Acknowledged registrations before the server is killed."""
AT_ONCE: Final = 8
TIMEOUT: Final = 60
"""Seconds within which all calls are served, including the server's recovery."""
MINUTE: Final = timedelta(minutes=1)

Call = Callable[[int], Coroutine[Any, Any, None]]
STORES: Final = ("psycopg", "asyncpg", "async-psycopg", "pymysql", "asyncmy", "aiomysql")
DOCUMENT_STORES: Final = ("pymongo", "async-pymongo", "pymongo-set", "async-pymongo-set")
NO_SERVER: Final[dict[servers.Kind, str]] = {
    "postgres": "postgresql://postgres@127.0.0.1:1/test",
    "mariadb": "mariadb://root@127.0.0.1:1/test",
}
CACHES: Final = ("redis", "async-redis", "redis-cluster", "async-redis-cluster")


@pytest.fixture(scope="module")
def private() -> Iterator[Callable[[servers.Kind], Any]]:
    """Lend one server of each kind, which the tests of this module kill in turn."""
    with ExitStack() as stack:
        yield cache(lambda kind: stack.enter_context(servers.private(kind)))


class Crash(Thread):
    """Kills a server, a primary or a master once `due` is set; restarts it once the crash was `noticed`."""

    def __init__(self, server: Any) -> None:
        super().__init__()
        self._server = server
        self.due, self.noticed = Event(), Event()

    def run(self) -> None:
        self.due.wait(TIMEOUT)
        match self._server:
            case ReplicaSet():
                self._server.kill_primary()
            case Cluster():
                self._server.kill_master(1)
            case _:
                self._server.kill()
                self.noticed.wait(TIMEOUT)
        self._server.start()


@pytest.mark.parametrize("driver", [DRIVERS[name] for name in (*STORES, *DOCUMENT_STORES)], ids=str)
async def test_a_user_registered_while_the_server_is_killed_exists_once(
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
                """Retry until it succeeds, with a new id each time, as a client without memory would."""
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
                        assert tries > 1, "the first try was refused though no user has this address"
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
                deadline = time.monotonic() + TIMEOUT
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
async def test_connections_that_died_while_idle_are_replaced(
    driver: Driver, private: Callable[[servers.Kind], Any]
) -> None:
    """On an engine with SQLAlchemy's defaults, where checking out a connection already sends something."""
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
async def test_a_missing_database_is_store_unavailable(driver: Driver) -> None:
    """The driver itself raises here, before SQLAlchemy has a connection."""
    assert driver.kind
    with driver.space() as url:
        for nowhere in (f"{url}_missing", NO_SERVER[driver.kind]):
            async with driver.client(nowhere) as client:
                with pytest.raises(StoreUnavailable):
                    await driver.users(client, nowhere).count(UserQuery())


async def pause(driver: Driver) -> None:
    """Wait a moment before the next try."""
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
    """Make calls, `AT_ONCE` at a time, from tasks or threads."""
    numbers = iter(range(times))
    if driver.blocking:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(lambda number: run(call(number)), numbers, timeout=TIMEOUT))
        return

    async def work() -> None:
        for number in numbers:
            await call(number)

    async with asyncio.timeout(TIMEOUT), asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(work())
