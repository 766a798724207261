"""Every call to a hanging server ends in time, and the next one after its return succeeds."""

from __future__ import annotations

import os
import sqlite3
import time
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import event

import servers
from authx_adapters import connect_blocking
from authx_adapters.clock import ManualClock
from authx_adapters.common.settle import settle
from authx_adapters.sqlalchemy import SQLAlchemyCache, SQLAlchemyUserStore
from authx_adapters.unbounded import UnboundedWarning
from authx_contract.samples.users import full_user, make_user
from authx_core import CacheUnavailable, InvalidValue, PortUnavailable, SocialIdentity, StoreUnavailable, run
from engines.drivers import DRIVERS, SQL, Driver, prepare
from engines.test_pool import AT_ONCE, at_once
from wire import Relay

REMOTE: Final = [driver for driver in SQL if driver.kind is not None]
TIMEOUT: Final = 0.3
BUSY: Final = 10.0
"""Seconds that a busy machine may add; the drivers alone would wait for more than a minute."""
LONG: Final = 20.0
"""Seconds that a call may take on a busy machine."""
MINUTE: Final = timedelta(minutes=1)
ANN: Final = full_user("ann")
CALLS: Final[list[Callable[[SQLAlchemyUserStore], Awaitable[object]]]] = [
    lambda store: store.get(ANN.id),
    lambda store: store.create(make_user(identities=(SocialIdentity("gitlab", "new"),))),
    lambda store: store.update(ANN.id, {"confirmed": True}),
]


@asynccontextmanager
async def hanging(driver: Driver, **options: Any) -> AsyncGenerator[tuple[Relay, Any], None]:
    """Lend a relay to a prepared database with Ann in it, and a client on it."""
    with driver.space() as url, Relay(url) as relay:
        async with driver.client(url) as direct:
            await prepare(store := driver.users(direct, url))
            await prepare(driver.cache(direct, url, ManualClock()))
            await store.create(ANN)
        async with driver.client(relay.url, **options) as client:
            yield relay, client


async def times_out(call: Awaitable[object], error: type[PortUnavailable] = StoreUnavailable) -> None:
    """Make a call that must end in time, with our message."""
    start = time.monotonic()
    with pytest.raises(error, match=rf"no answer within {TIMEOUT:g} seconds"):
        await call
    assert TIMEOUT * 0.9 < time.monotonic() - start < TIMEOUT + BUSY


async def succeeds(call: Callable[[], Awaitable[object]]) -> None:
    """Make a call that must succeed within a second."""
    start = time.monotonic()
    await call()
    assert time.monotonic() - start < 1 + BUSY


@pytest.mark.parametrize("driver", REMOTE, ids=str)
async def test_a_call_on_a_hanging_connection_ends_in_time(driver: Driver) -> None:
    async with hanging(driver, pool_size=1, max_overflow=0) as (relay, client):
        store = SQLAlchemyUserStore(client, timeout=timedelta(seconds=TIMEOUT))
        cache = SQLAlchemyCache(client, ManualClock(), timeout=TIMEOUT)
        calm = SQLAlchemyUserStore(client, timeout=LONG)
        for call in CALLS:
            await calm.get_blackout()
            opened = relay.connections
            relay.freeze()
            await times_out(call(store))
            relay.thaw()
            await succeeds(calm.get_blackout)
            assert relay.connections == opened + 1
        relay.freeze()
        await times_out(cache.increment("key", ttl=MINUTE), CacheUnavailable)
        relay.thaw()
        await succeeds(calm.get_blackout)


@pytest.mark.parametrize("driver", REMOTE, ids=str)
async def test_connecting_to_a_silent_server_ends_in_time(driver: Driver) -> None:
    async with hanging(driver) as (relay, client):
        store = SQLAlchemyUserStore(client, timeout=TIMEOUT)
        relay.freeze()
        await times_out(store.get(ANN.id))
        relay.thaw()
        await succeeds(lambda: SQLAlchemyUserStore(client, timeout=LONG).get(ANN.id))


@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "mariadb+pymysql"])
def test_connect_blocking_to_a_silent_server_ends_in_time(scheme: str) -> None:
    with servers.database("postgres" if "postgres" in scheme else "mariadb") as url, Relay(url) as relay:
        relay.freeze()
        start = time.monotonic()
        address = f"{scheme}://{relay.url.partition('://')[2]}"
        with pytest.raises(StoreUnavailable), connect_blocking(address, timeout=TIMEOUT):
            pass
        assert time.monotonic() - start < TIMEOUT + BUSY


@pytest.mark.parametrize("driver", REMOTE, ids=str)
async def test_an_applications_own_engine_with_extra_statements_ends_in_time_too(driver: Driver) -> None:
    """Its pool pings, switches to autocommit, and rolls back at the end."""
    options = {"isolation_level": None, "skip_autocommit_rollback": False, "pool_pre_ping": True}
    async with hanging(driver, pool_size=1, max_overflow=0, **options) as (relay, client):
        store = SQLAlchemyUserStore(client, timeout=TIMEOUT)
        await SQLAlchemyUserStore(client, timeout=LONG).get(ANN.id)
        relay.freeze()
        await times_out(store.get(ANN.id))
        relay.thaw()
        await succeeds(lambda: SQLAlchemyUserStore(client, timeout=LONG).get(ANN.id))


@pytest.mark.parametrize("driver", REMOTE, ids=str)
async def test_a_call_inside_the_callers_transaction_ends_in_time(driver: Driver) -> None:
    async with hanging(driver, isolation_level=None, pool_size=1, max_overflow=0) as (relay, client):
        connection = await settle(client.connect())
        store = SQLAlchemyUserStore(connection, timeout=TIMEOUT)
        assert await SQLAlchemyUserStore(connection).get(ANN.id) == ANN
        relay.freeze()
        await times_out(store.update(ANN.id, {"confirmed": True}))
        relay.thaw()
        await settle(connection.close())
        await succeeds(lambda: SQLAlchemyUserStore(client, timeout=LONG).get(ANN.id))


@pytest.mark.parametrize("name", ["psycopg", "pymysql"])
async def test_a_connection_returned_in_time_is_never_closed(name: str) -> None:
    async with hanging(DRIVERS[name], pool_size=1, max_overflow=0) as (relay, client):
        store, unbounded = SQLAlchemyUserStore(client, timeout=1), SQLAlchemyUserStore(client)
        await unbounded.get(ANN.id)
        await store.get(ANN.id)
        opened = relay.connections
        end = time.monotonic() + 1.2
        while time.monotonic() < end:
            await unbounded.get(ANN.id)
        assert relay.connections == opened


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
def test_calls_of_a_forked_child_end_in_time_too() -> None:
    driver = DRIVERS["psycopg"]
    with driver.space() as url:
        parent = driver.open(url)
        run(SQLAlchemyUserStore(parent, timeout=LONG).create_schema())  # starts the watchdog
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of a fork with threads
            child = os.fork()
        if child == 0:
            try:
                run(slow_store(driver.open(url)).get(ANN.id))
            except StoreUnavailable as error:
                os._exit(0 if "no answer" in str(error) else 1)
            finally:
                os._exit(2)
        deadline = time.monotonic() + LONG
        while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
            time.sleep(0.02)
        parent.dispose()
    assert ended == (child, 0)


def slow_store(engine: Any) -> SQLAlchemyUserStore:
    """Return a store whose every statement takes a minute."""

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def _(*_: Any) -> tuple[str, Any]:
        return "SELECT pg_sleep(60)", {}

    return SQLAlchemyUserStore(engine, timeout=1)


@pytest.mark.parametrize("driver", REMOTE, ids=str)
async def test_many_callers_of_a_hanging_server_end_in_time(driver: Driver) -> None:
    async with hanging(driver, pool_size=1, max_overflow=0, pool_timeout=TIMEOUT) as (relay, client):
        store = SQLAlchemyUserStore(client, timeout=TIMEOUT)
        await SQLAlchemyUserStore(client, timeout=LONG).get(ANN.id)
        relay.freeze()
        start = time.monotonic()

        async def call(_: int) -> str:
            with pytest.raises(StoreUnavailable):
                await store.get(ANN.id)
            return ""

        await at_once(driver, call)
        assert time.monotonic() - start < 2 * TIMEOUT + BUSY
        relay.thaw()
        await succeeds(lambda: SQLAlchemyUserStore(client, timeout=LONG).get(ANN.id))


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
@pytest.mark.parametrize("driver", [DRIVERS["sqlite"], DRIVERS["aiosqlite"]], ids=str)
async def test_sqlite_writers_wait_for_the_timeout_and_readers_do_not_wait(driver: Driver, mode: str) -> None:
    with driver.space() as url:
        async with driver.client(url, connect_args={"timeout": 30}, pool_size=2, max_overflow=0) as client:
            store = SQLAlchemyUserStore(client, timeout=1)
            await prepare(store)
            await store.create(ANN)
            with sqlite3.connect(url.partition("///")[2], isolation_level=None) as other:
                other.execute(f"PRAGMA journal_mode = {mode}")
                other.execute("BEGIN IMMEDIATE")
                start = time.monotonic()

                async def call(number: int) -> str:
                    if number % 20 == 10:
                        assert await store.get(ANN.id) == ANN
                        return "read"
                    with pytest.raises(StoreUnavailable):
                        await store.update(ANN.id, {"confirmed": True})
                    return "timed out"

                assert (await at_once(driver, call)).count("read") == AT_ONCE // 20
                assert time.monotonic() - start < 1 + BUSY
                other.execute("ROLLBACK")
            other.close()
            await succeeds(lambda: SQLAlchemyUserStore(client, timeout=LONG).update(ANN.id, {"confirmed": True}))


@pytest.mark.parametrize("driver", [DRIVERS["sqlite"], DRIVERS["aiosqlite"]], ids=str)
async def test_a_read_of_an_exclusively_locked_sqlite_file_ends_in_time(driver: Driver) -> None:
    async with sqlite_locked(driver) as client:
        await fails_in_time(SQLAlchemyUserStore(client, timeout=TIMEOUT).get(ANN.id))
        assert await busy_timeout(client) == 30_000


@pytest.mark.parametrize("driver", [DRIVERS["sqlite"], DRIVERS["aiosqlite"]], ids=str)
async def test_a_call_restores_sqlites_own_busy_timeout(driver: Driver) -> None:
    with driver.space() as url:
        async with driver.client(url, connect_args={"timeout": 30}, **driver.single) as client:
            store = SQLAlchemyUserStore(client, timeout=LONG)
            await prepare(store)
            assert await store.get(ANN.id) is None
            assert await busy_timeout(client) == 30_000


async def busy_timeout(client: Any) -> int:
    """Return the milliseconds that the pool's connection waits for a lock."""
    connection = await settle(client.connect())
    found = (await settle(connection.exec_driver_sql("PRAGMA busy_timeout"))).scalar_one()
    await settle(connection.close())
    return int(found)


@asynccontextmanager
async def sqlite_locked(driver: Driver) -> AsyncGenerator[Any, None]:
    """Lend a client with a long busy timeout, on a database that another connection has locked."""
    with driver.space() as url:
        async with driver.client(url, connect_args={"timeout": 30}, **driver.single) as client:
            await prepare(SQLAlchemyUserStore(client))
            other = sqlite3.connect(url.partition("///")[2], isolation_level=None)
            other.execute("BEGIN EXCLUSIVE")
            yield client
            other.close()


async def fails_in_time(call: Awaitable[object]) -> None:
    """Make a call that must end in time, with any message."""
    start = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await call
    assert time.monotonic() - start < TIMEOUT + BUSY


@pytest.mark.parametrize("given", [0, -1.0, float("inf"), float("nan"), True, "5", timedelta(0)])
async def test_an_invalid_timeout_is_refused(given: Any) -> None:
    async with DRIVERS["sqlite"].client("sqlite:///unused.db") as client:
        with pytest.raises(InvalidValue, match="timeout"):
            SQLAlchemyUserStore(client, timeout=given)
        with pytest.raises(InvalidValue, match="timeout"):
            SQLAlchemyCache(client, ManualClock(), timeout=given)


@pytest.mark.parametrize("driver", [DRIVERS["sqlite"], DRIVERS["aiosqlite"]], ids=str)
async def test_verify_schema_warns_of_an_adapter_without_a_timeout(driver: Driver) -> None:
    with driver.space() as url:
        async with driver.client(url) as client:
            for timeout in (None, 5):
                adapters: list[Any] = [
                    SQLAlchemyUserStore(client, timeout=timeout),
                    SQLAlchemyCache(client, ManualClock(), timeout=timeout),
                ]
                for adapter in adapters:
                    await adapter.create_schema()
                    with warnings.catch_warnings(record=True) as caught:
                        warnings.simplefilter("always", UnboundedWarning)
                        await adapter.verify_schema()
                    assert len(caught) == (timeout is None)
