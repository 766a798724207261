"""Details of the SQL adapters that the contract does not cover: indexes used, deadlocks, and `purge`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from sqlalchemy import event, insert

import servers
from authx_adapters.clock import ManualClock
from authx_adapters.sqlalchemy import SQLAlchemyCache, SQLAlchemyUserStore
from authx_core import SocialIdentity, User, UserQuery, run
from engines.drivers import DRIVERS, Driver
from servers import mariadb

BLOCKING = [DRIVERS[name] for name in ("sqlite", "psycopg", "pymysql")]
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
ANALYZE = {"sqlite": "ANALYZE", "postgresql": "ANALYZE", "mariadb": "ANALYZE TABLE authx_users"}
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN ", "mariadb": "EXPLAIN "}
QUERIES = {
    "authx_users_username_key": UserQuery(username_prefix="an"),
    "authx_users_email_key": UserQuery(email_prefix="ann%"),
}


@pytest.mark.parametrize("driver", BLOCKING, ids=str)
async def test_a_prefix_search_uses_the_index(driver: Driver) -> None:
    """Among enough users that the database prefers the index to a scan."""
    with driver.space() as url:
        async with driver.client(url) as engine:
            store = SQLAlchemyUserStore(engine)
            run(store.create_schema())
            with engine.connect() as connection:
                connection.execute(insert(store.schema.users), [attrs.asdict(each, recurse=False) for each in crowd()])
                connection.exec_driver_sql(ANALYZE[engine.dialect.name])
            sent: list[tuple[str, Any]] = []
            event.listen(engine, "before_cursor_execute", lambda *args: sent.append((args[2], args[3])))
            for index, query in QUERIES.items():
                found = run(store.search(query, limit=10))
                assert [user.id for user in found] == ["1234"]
                statement, values = sent[-1]
                with engine.connect() as connection:
                    plan = connection.exec_driver_sql(EXPLAIN[engine.dialect.name] + statement, values).mappings().all()
                assert index in (plan[0]["key"] if "key" in plan[0] else str(plan)), plan


@pytest.fixture(scope="module")
def own_mariadb() -> Iterator[str]:
    """Lend a server whose counters no other test changes."""
    with servers.private("mariadb") as server:
        yield server.url


@pytest.mark.parametrize("driver", [DRIVERS["pymysql"], DRIVERS["asyncmy"]], ids=str)
async def test_linking_accounts_concurrently_causes_no_deadlock(driver: Driver, own_mariadb: str) -> None:
    """At MariaDB's default isolation level each call is a deadlock victim a few times, and too often under load."""
    people = [User(id=f"user {number}", created_at=NOW) for number in range(8)]
    with driver.space(own_mariadb) as url:
        async with driver.client(url) as engine:
            store = SQLAlchemyUserStore(engine)
            await store.create_schema()
            for user in people:
                await store.create(user)

            async def link(user: User) -> None:
                for number in range(20):
                    await store.update(user.id, {"identities": (SocialIdentity("provider", f"{user.id} {number}"),)})

            before = deadlocks(url)
            if driver.blocking:
                with ThreadPoolExecutor(len(people)) as threads:
                    list(threads.map(lambda user: run(link(user)), people))
            else:
                await asyncio.gather(*map(link, people))
            assert deadlocks(url) == before


def deadlocks(url: str) -> int:
    """Return the number of deadlocks on the server so far."""
    with mariadb.connect(url) as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
        ((_, counted),) = cursor.fetchall()
        return int(counted)


def crowd() -> Iterator[User]:
    """Make three thousand users, of whom one matches the prefixes."""
    for number in range(3000):
        name = "ann%" if number == 1234 else f"user-{number}"
        yield User(id=f"{number:04}", created_at=NOW, username_key=name, email_key=f"{name}@example.com")


@pytest.mark.parametrize("driver", BLOCKING, ids=str)
async def test_purging_removes_only_expired_entries(driver: Driver) -> None:
    clock = ManualClock()
    with driver.space() as url:
        async with driver.client(url) as engine:
            cache = SQLAlchemyCache(engine, clock)
            run(cache.create_schema())
            for seconds in (1, 2, 3):
                run(cache.set(f"value {seconds}", "text", ttl=timedelta(seconds=seconds)))
                run(cache.increment(f"counter {seconds}", ttl=timedelta(seconds=seconds)))
            assert run(cache.purge()) == 0
            clock.advance(2)
            assert run(cache.purge()) == 4
            assert run(cache.purge()) == 0
            assert run(cache.get_many(["value 3", "counter 3"])) == ["text", "1"]
