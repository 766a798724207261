"""The first call after idle connections were closed or forgotten, or tables were migrated."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from select import select
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import pymysql
import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from authx_adapters.clock import ManualClock
from authx_adapters.common.settle import settle
from authx_adapters.sqlalchemy import SQLAlchemyUserStore
from authx_adapters.sqlalchemy.deadlines import descriptor
from authx_contract.samples.users import full_user, make_user
from authx_core import SocialIdentity, StoreUnavailable, User, UserStore
from engines.drivers import SQL, Driver, prepare
from servers import mariadb, postgresql
from servers.process import until
from wire import Counter, Relay

Call: TypeAlias = Callable[[UserStore], Awaitable[object]]

REMOTE: Final = [driver for driver in SQL if driver.kind is not None]
ANN: Final = full_user("ann")
POOL: Final = 2
SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "autocommit": {},
    "an application's": {"isolation_level": None, "skip_autocommit_rollback": False},
}


def linked(subject: str) -> tuple[SocialIdentity, ...]:
    return (SocialIdentity("gitlab", subject),)


CALLS: Final[list[Call]] = [
    lambda store: store.get(ANN.id),
    lambda store: store.create(make_user()),
    lambda store: store.create(make_user(identities=linked(make_user().id))),
    lambda store: store.update(ANN.id, {"confirmed": True}),
    lambda store: store.get_blackout(),
]
"""A read, a write in one statement, one in a transaction, an update, and a read of another table."""


@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("driver", REMOTE, ids=str)
async def test_calls_succeed_after_the_server_closed_idle_connections(driver: Driver, options: dict[str, Any]) -> None:
    async with prepared(driver, **options) as (url, client):
        store, cache = driver.users(client, url), driver.cache(client, url, ManualClock())
        await prepare(cache)
        for call in CALLS:
            idle = await fill(client)
            kill_sessions(url)
            wait_for_end(idle)
            await call(store)
            assert await cache.get("key") is None


@pytest.mark.parametrize("driver", REMOTE, ids=str)
async def test_a_call_whose_connection_dies_is_retried_only_if_that_is_safe(driver: Driver) -> None:
    async with prepared(driver) as (url, client):
        store = driver.users(client, url)

        async def dying(before: str, call: Call) -> object:
            """Make a call on a used connection, which is killed before a statement."""
            await store.get_blackout()
            with killing(client, url, before):
                return await call(store)

        assert await dying("SELECT", lambda store: store.get(ANN.id)) == ANN
        user = make_user(identities=linked("new"))
        for before in ("BEGIN", "INSERT INTO authx_users", "INSERT INTO authx_identities"):
            await dying(before, partial(created, user))
            assert await store.delete(user.id)
        for before, identities in (("COMMIT", linked("new")), ("INSERT INTO authx_users", ())):
            user = make_user(identities=identities)
            with pytest.raises(StoreUnavailable):
                await dying(before, partial(created, user))
            assert await store.get(user.id) is None


@pytest.mark.parametrize("driver", REMOTE, ids=str)
async def test_only_connections_that_were_idle_for_long_are_pinged(driver: Driver) -> None:
    async with AsyncExitStack() as stack:
        url, _ = await stack.enter_async_context(prepared(driver))
        counter = stack.enter_context(Counter(url))
        unprepared = {"connect_args": {"prepare_threshold": None}} if "psycopg" in driver.name else {}
        client = await stack.enter_async_context(driver.client(counter.url, **driver.single, **unprepared))
        store = SQLAlchemyUserStore(client, timeout=4)
        for _ in range(3):
            await store.get(ANN.id)
        for age, pings in ((59, False), (61, True), (-61, True)):
            await aged(client, age)
            counter.reset()
            assert await store.get(ANN.id) == ANN
            assert (counter.round_trips > 1) == pings


@pytest.mark.parametrize("driver", REMOTE, ids=str)
async def test_calls_succeed_after_a_firewall_forgot_idle_connections(driver: Driver) -> None:
    async with AsyncExitStack() as stack:
        url, _ = await stack.enter_async_context(prepared(driver))
        relay = stack.enter_context(Relay(url))
        client = await stack.enter_async_context(driver.client(relay.url, pool_size=POOL))
        store = SQLAlchemyUserStore(client, timeout=2)
        await store.get(ANN.id)
        await aged(client, 61)
        relay.forget()
        await store.create(make_user())
        assert await store.get(ANN.id) == ANN


MIGRATIONS: Final[dict[str, dict[str, list[str]]]] = {
    "postgresql": {
        "a longer column": ['ALTER TABLE authx_users ALTER COLUMN username TYPE varchar(300) COLLATE "C"'],
        "another type": ["ALTER TABLE authx_users ALTER COLUMN version TYPE numeric"],
        "a new column": ["ALTER TABLE authx_users ADD COLUMN note text"],
        "a new index": ["CREATE INDEX ON authx_users (created_at)"],
        "another table of the same name": [
            "CREATE TABLE copy (LIKE authx_blackout INCLUDING ALL)",
            "ALTER TABLE copy ALTER COLUMN cutoff TYPE numeric",
            "DROP TABLE authx_blackout",
            "ALTER TABLE copy RENAME TO authx_blackout",
        ],
        "sessions that forget what they prepared": [],
    },
    "mariadb": {
        "a longer column": [
            "ALTER TABLE authx_users MODIFY username varchar(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
        ],
        "a new column": ["ALTER TABLE authx_users ADD COLUMN note text"],
        "another table of the same name": [
            "CREATE TABLE copy LIKE authx_blackout",
            "RENAME TABLE authx_blackout TO old, copy TO authx_blackout",
        ],
    },
    "sqlite": {
        "a new column": ["ALTER TABLE authx_users ADD COLUMN note text"],
        "a new index": ["CREATE INDEX later ON authx_users (created_at)"],
        "another name and back": [
            "ALTER TABLE authx_blackout RENAME TO old",
            "ALTER TABLE old RENAME TO authx_blackout",
        ],
    },
}


@pytest.mark.parametrize("driver", SQL, ids=str)
async def test_calls_succeed_after_a_migration_under_a_running_process(driver: Driver) -> None:
    async with prepared(driver) as (url, client), driver.client(url) as other:
        store = driver.users(client, url)
        for statements in MIGRATIONS[dialect(other)].values():
            for call in CALLS:
                await fill(client)
                for _ in range(7 * POOL):  # psycopg prepares a statement after five uses
                    await call(store)
            await execute(other, *statements)
            if not statements:
                await forget_plans(client)
            for _ in range(POOL + 1):
                for call in CALLS:
                    await call(store)


@pytest.mark.parametrize("driver", [driver for driver in REMOTE if driver.kind == "postgres"], ids=str)
async def test_a_migration_during_the_callers_transaction_is_reported(driver: Driver) -> None:
    async with prepared(driver, **driver.single, isolation_level=None) as (url, client), driver.client(url) as other:
        for _ in range(8):
            await in_transaction(client, lambda store: store.get(ANN.id))
        await execute(other, *MIGRATIONS["postgresql"]["a longer column"])
        with pytest.raises(StoreUnavailable, match="tables were altered"):
            await in_transaction(client, lambda store: store.get(ANN.id))
        assert await in_transaction(client, lambda store: store.get(ANN.id)) == ANN


@asynccontextmanager
async def prepared(driver: Driver, **options: Any) -> AsyncGenerator[tuple[str, Any], None]:
    """Lend a database with Ann in it, and a client with few connections."""
    with driver.space() as url:
        async with driver.client(url, **{"pool_size": POOL, "max_overflow": 0} | options) as client:
            store = driver.users(client, url)
            await prepare(store)
            await store.create(ANN)
            yield url, client


def dialect(client: Any) -> str:
    return str(client.dialect.name)


def engine(client: Any) -> Any:
    return client.sync_engine if isinstance(client, AsyncEngine) else client


async def fill(client: Any) -> list[int]:
    """Open all connections of the pool; return their file descriptors."""
    found = list[int]()
    connections = [await settle(client.connect()) for _ in range(POOL)]
    for connection in connections:
        raw = (
            await settle(connection.get_raw_connection()) if isinstance(client, AsyncEngine) else connection.connection
        )
        found.append(descriptor(raw.driver_connection) or -1)
        await settle(connection.close())
    return found


def wait_for_end(descriptors: list[int]) -> None:
    """Wait until the server's end of each connection has reached this process."""
    until(lambda: len(select(descriptors, [], [], 0)[0]) == len(descriptors), "a connection was not closed")


async def created(user: User, store: UserStore) -> User:
    return await store.create(user)


async def aged(client: Any, seconds: float) -> None:
    """Make all idle connections look this many seconds older."""

    def age(_: object, record: Any) -> None:
        record.info["authx_idle_since"] -= seconds

    event.listen(engine(client), "checkin", age)
    size = client.pool.checkedin()
    connections = [await settle(client.connect()) for _ in range(size)]
    for connection in connections:
        await settle(connection.close())
    event.remove(engine(client), "checkin", age)


async def execute(client: Any, *statements: str) -> None:
    connection = await settle(client.connect())
    for statement in statements:
        await settle(connection.execute(text(statement)))
    await settle(connection.close())


async def forget_plans(client: Any) -> None:
    """Deallocate the prepared statements of each session, as a pooler may."""
    connections = [await settle(client.connect()) for _ in range(POOL)]
    for connection in connections:
        await settle(connection.exec_driver_sql("DEALLOCATE ALL"))
        await settle(connection.close())


async def in_transaction(client: Any, call: Call) -> object:
    connection = await settle(client.connect())
    try:
        result = await call(SQLAlchemyUserStore(connection))
        await settle(connection.commit())
    finally:
        await settle(connection.close())
    return result


class killing:  # noqa: N801 - it reads as a verb
    """Kill all sessions of a database once, just before the first statement with this beginning."""

    def __init__(self, client: Any, url: str, beginning: str) -> None:
        self._engine, self._url, self._beginning = engine(client), url, beginning
        self._done = False

    def __enter__(self) -> None:
        event.listen(self._engine, "before_cursor_execute", self._before)

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._before)
        assert self._done

    def _before(self, _: Connection, __: object, statement: str, *___: object) -> None:
        if not self._done and statement.lstrip().startswith(self._beginning):
            self._done = True
            kill_sessions(self._url)


def kill_sessions(url: str) -> None:
    """End all other sessions of a database, as a server ends idle ones, and wait until they are gone."""
    if url.startswith("postgresql"):
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with postgresql.connect(url) as connection:
            connection.execute(f"SELECT pg_terminate_backend(pid) {others}")
            until(lambda: not connection.execute(f"SELECT 1 {others}").fetchall(), "sessions are still alive")
        return
    others = "SELECT id FROM information_schema.processlist WHERE db = %s"
    name = urlsplit(url).path[1:]
    with mariadb.connect(url) as cursor:
        cursor.execute(others, (name,))
        for session in cursor.fetchall():
            with suppress(pymysql.OperationalError):  # it has already ended
                cursor.execute("KILL CONNECTION %s", session)
        until(lambda: not cursor.execute(others, (name,)), "sessions are still alive")
