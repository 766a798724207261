"""A multi-master cluster: three nodes of MariaDB Galera with their default settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta, timezone
from functools import partial

import pytest
from sqlalchemy import make_url, text

import servers
from authx_adapters import connect, connect_blocking
from authx_adapters.clock import SystemClock
from authx_adapters.sqlalchemy import SQLAlchemyCache, SQLAlchemyUserStore
from authx_core import InvalidSchema, StaleUser, User, UsernameTaken, run
from authx_core.ports import Cache, UserStore
from engines.drivers import DRIVERS

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
SAFE = "SET SESSION wsrep_retry_autocommit = 0, wsrep_sync_wait = 7"
TIMEOUT = 30.0
"""Seconds; these tests are not about time."""
ROUNDS = 25
"""Rounds of a race; with the default settings, most have a wrong result."""
LAGS = 3
"""How often another node lags; a read that does not wait then misses the last write."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[str]]:
    """The URLs of one database at the three nodes."""
    with servers.galera() as cluster, servers.database("mariadb", cluster.url) as url:
        yield cluster.urls(url.rpartition("/")[2])


@asynccontextmanager
async def opened_at(nodes: list[str]) -> AsyncGenerator[tuple[list[UserStore], list[Cache]], None]:
    """Lend the stores and caches that `connect` opens at each node, through both drivers."""
    drivers = ("mariadb+asyncmy", "mariadb+aiomysql", "mariadb+asyncmy")
    urls = [
        make_url(node).set(drivername=driver).render_as_string(hide_password=False)
        for node, driver in zip(nodes, drivers, strict=True)
    ]
    async with AsyncExitStack() as stack:
        repos = [
            await stack.enter_async_context(connect(url, cache_url=url, timeout=TIMEOUT, cache_timeout=TIMEOUT))
            for url in urls
        ]
        yield [repo.database for repo in repos], [repo.cache for repo in repos]


@asynccontextmanager
async def lagging(node: str) -> AsyncGenerator[Callable[[], Awaitable[object]], None]:
    """Lend a call that makes the other nodes lag behind this one.

    It updates a table without a key: the others scan the table for each changed row, and later writes queue behind.
    """
    async with DRIVERS["asyncmy"].client(node) as engine, engine.connect() as connection:
        await connection.execute(text("CREATE OR REPLACE TABLE slow (number int)"))
        await connection.execute(text("INSERT INTO slow SELECT seq FROM seq_1_to_3000"))
        yield partial(connection.execute, text("UPDATE slow SET number = -number"))


def test_default_settings_are_refused_and_the_error_names_both(nodes: list[str]) -> None:
    engine = DRIVERS["pymysql"].open(nodes[1])
    for adapter in (SQLAlchemyUserStore(engine), SQLAlchemyCache(engine, SystemClock())):
        run(adapter.create_schema())
        with pytest.raises(InvalidSchema) as error:
            run(adapter.verify_schema())
        problems = {problem.field: problem.message for problem in error.value.problems}
        assert problems.keys() == {"wsrep_retry_autocommit", "wsrep_sync_wait"}
        assert all(SAFE in message for message in problems.values())
    engine.dispose()


@pytest.mark.parametrize("name", ["pymysql", "asyncmy", "aiomysql"])
async def test_an_engine_with_both_settings_is_accepted(name: str, nodes: list[str]) -> None:
    async with DRIVERS[name].client(nodes[2], connect_args={"init_command": SAFE}) as engine:
        for adapter in (SQLAlchemyUserStore(engine), SQLAlchemyCache(engine, SystemClock())):
            await adapter.create_schema()
            await adapter.verify_schema()


def test_connect_blocking_sets_both(nodes: list[str]) -> None:
    with connect_blocking(nodes[0], cache_url=nodes[1], cache_timeout=TIMEOUT) as users:
        assert users.get("nobody") is None


async def test_a_deletion_sees_the_last_write_of_another_node_even_if_only_reads_wait(nodes: list[str]) -> None:
    """With `wsrep_sync_wait = 1`, a deletion itself does not wait for the row that it should find."""
    settings = {"init_command": "SET SESSION wsrep_retry_autocommit = 0, wsrep_sync_wait = 1"}
    driver = DRIVERS["asyncmy"]
    async with (
        driver.client(nodes[0], connect_args=settings) as one,
        driver.client(nodes[1], connect_args=settings) as two,
        lagging(nodes[0]) as lag,
    ):
        await SQLAlchemyCache(one, SystemClock()).create_schema()
        await SQLAlchemyUserStore(one).create_schema()
        await SQLAlchemyCache(two, SystemClock()).verify_schema()
        for number in range(LAGS):
            await lag()
            await SQLAlchemyCache(one, SystemClock()).set(f"lag {number}", "x", ttl=MINUTE)
            assert await SQLAlchemyCache(two, SystemClock()).pop(f"lag {number}") == "x"
            await lag()
            await SQLAlchemyUserStore(one).create(User(id=f"lag {number}", created_at=NOW))
            assert await SQLAlchemyUserStore(two).delete(f"lag {number}")
        assert not await SQLAlchemyUserStore(two).delete("nobody")


async def test_a_link_works_once_across_all_nodes(nodes: list[str]) -> None:
    async with opened_at(nodes) as (_, caches):
        for number in range(ROUNDS):
            key = f"link {number}"
            await caches[0].set(key, "ana", ttl=MINUTE)
            got = await asyncio.gather(*(cache.pop(key) for cache in caches))
            assert sorted(map(str, got)) == ["None", "None", "ana"]


async def test_counts_and_adds_are_exact_across_all_nodes(nodes: list[str]) -> None:
    async with opened_at(nodes) as (_, caches):
        for number in range(ROUNDS):
            calls = [cache.increment(f"count {number}", ttl=MINUTE) for cache in caches * 2]
            assert sorted(await asyncio.gather(*calls)) == [1, 2, 3, 4, 5, 6]
            added = await asyncio.gather(*(cache.add(f"first {number}", "x", ttl=MINUTE) for cache in caches))
            assert added.count(True) == 1


async def test_each_node_sees_the_last_write_of_another(nodes: list[str]) -> None:
    async with opened_at(nodes) as (stores, caches), lagging(nodes[0]) as lag:
        first, second, third = stores
        for number in range(LAGS):
            await lag()
            ana = await first.create(User(id=f"seen {number}", username_key=f"seen {number}", created_at=NOW))
            assert await second.get(ana.id) == ana
            await lag()
            ana = await first.update(ana.id, {"epoch": 2, "username_key": f"ana {number}"})
            assert await third.get(ana.id) == ana
            with pytest.raises(UsernameTaken):
                await second.create(User(id=f"eve {number}", username_key=ana.username_key, created_at=NOW))
            await lag()
            kicked = await first.update(ana.id, {"epoch": 3})
            assert await second.update(ana.id, {"epoch": 4}, expected={"epoch": kicked.epoch})
            await lag()
            assert await first.delete(ana.id)
            assert await third.get_by_username(f"ana {number}") is None
            await lag()
            await caches[0].set(f"seen {number}", "x", ttl=MINUTE)
            assert await caches[1].pop(f"seen {number}") == "x"
            assert await caches[2].get(f"seen {number}") is None


async def test_one_of_several_writers_at_different_nodes_wins(nodes: list[str]) -> None:
    async with opened_at(nodes) as (stores, _):
        for number in range(ROUNDS):
            made = await asyncio.gather(
                *(
                    store.create(User(id=f"one {number} {at}", username_key=f"one {number}", created_at=NOW))
                    for at, store in enumerate(stores)
                ),
                return_exceptions=True,
            )
            assert sorted(type(each).__name__ for each in made) == ["User", "UsernameTaken", "UsernameTaken"]
            (winner,) = [each for each in made if isinstance(each, User)]
            changed = await asyncio.gather(
                *(
                    store.update(winner.id, {"epoch": 2 + at}, expected={"version": 1})
                    for at, store in enumerate(stores)
                ),
                return_exceptions=True,
            )
            assert [type(each) for each in changed].count(StaleUser) == 2
            deleted = await asyncio.gather(*(store.delete(winner.id) for store in stores))
            assert deleted.count(True) == 1
        cutoffs = [NOW + number * MINUTE for number in range(9)]
        await asyncio.gather(*(stores[at % 3].set_blackout(cutoff) for at, cutoff in enumerate(cutoffs)))
        assert [await store.get_blackout() for store in stores] == [cutoffs[-1]] * 3
