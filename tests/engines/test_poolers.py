"""PgBouncer in transaction mode: no call runs a statement that another client prepared."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import servers
from authx_adapters import connect, connect_blocking
from authx_adapters.clock import ManualClock
from authx_adapters.sqlalchemy import SQLAlchemyCache, SQLAlchemyUserStore
from authx_core import InvalidSchema, SocialIdentity, User, UsernameTaken, UsersRepo
from engines.drivers import DRIVERS, Driver

PREPARING = ["psycopg", "async-psycopg", "asyncpg"]
SAFE: dict[str, Any] = {"connect_args": {"prepare_threshold": None}}
ANA = User(id="ana", username_key="ana", created_at=datetime(2026, 1, 1, tzinfo=timezone.utc))


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with servers.database("postgres") as url:
        yield url


@pytest.fixture(scope="module")
def pooler(database: str) -> Iterator[str]:
    with servers.pooled(database) as url:
        yield url


async def refused(call: Any) -> str:
    with pytest.raises(InvalidSchema) as error:
        await call()
    (problem,) = error.value.problems
    assert problem.field == "pooler"
    return problem.message


@pytest.mark.parametrize("name", PREPARING)
async def test_a_driver_that_prepares_statements_is_refused_with_advice(name: str, pooler: str) -> None:
    async with DRIVERS[name].client(pooler) as engine:
        for adapter in (SQLAlchemyUserStore(engine), SQLAlchemyCache(engine, ManualClock())):
            for call in (adapter.create_schema, adapter.verify_schema):
                assert "'prepare_threshold': None" in await refused(call)


@pytest.mark.parametrize("name", PREPARING)
async def test_a_pooler_in_session_mode_is_accepted(name: str, database: str) -> None:
    with servers.pooled(database, "session", size=4) as url:
        async with DRIVERS[name].client(url) as engine:
            store = SQLAlchemyUserStore(engine)
            await store.create_schema()
            await store.verify_schema()


@pytest.mark.parametrize(
    "options", [{}, {"isolation_level": "READ COMMITTED"}], ids=["autocommit", "not in autocommit"]
)
@pytest.mark.parametrize("name", ["psycopg", "async-psycopg"])
async def test_a_driver_that_prepares_no_statements_is_safe(name: str, options: dict[str, Any], pooler: str) -> None:
    """One client reads while another deletes, on two connections to the server."""
    driver: Driver = DRIVERS[name]
    async with driver.client(pooler, **SAFE, **options) as one, driver.client(pooler, **SAFE, **options) as two:
        ours, theirs = SQLAlchemyUserStore(one), SQLAlchemyUserStore(two)
        await ours.create_schema()
        await ours.verify_schema()
        await ours.delete("ana")
        ana = await ours.create(ANA)
        for _ in range(8):
            assert await ours.get("ana") == ana
        await asyncio.gather(*(theirs.delete("nobody") for _ in range(8)), *(ours.get("ana") for _ in range(8)))
        assert await ours.get("ana") == ana
        linked = await ours.update("ana", {"identities": (SocialIdentity("github", name),)})
        assert await theirs.get_by_social("github", name) == linked
        with pytest.raises(UsernameTaken):
            await theirs.create(User(id="eve", username_key="ana", created_at=ANA.created_at))
        cache = SQLAlchemyCache(two, ManualClock())
        await cache.create_schema()
        await cache.delete("count")
        counts = await asyncio.gather(*(cache.increment("count", ttl=timedelta(minutes=1)) for _ in range(9)))
        assert sorted(counts) == list(range(1, 10))
        assert await ours.delete("ana")


async def test_connect_is_safe_or_refuses(pooler: str) -> None:
    asynchronous = pooler.replace("postgresql:", "postgresql+psycopg:")
    async with (
        connect(asynchronous, cache_url=asynchronous, cache_timeout=30) as users,
        connect(asynchronous) as others,
    ):
        await used(users, others)
    with connect_blocking(pooler, cache_url=pooler, cache_timeout=30) as blocking:
        assert blocking.get("nobody") is None

    async def through_asyncpg() -> None:
        async with connect(pooler):
            pass

    assert "asyncpg prepares every statement" in await refused(through_asyncpg)


async def used(users: UsersRepo, others: UsersRepo) -> None:
    ada = await users.create({"username": "ada.l"})
    for _ in range(8):
        assert await users.get(ada.id) == ada
    for _ in range(8):
        assert not await others.delete("nobody")
    assert await users.get(ada.id) == ada
    assert await users.delete(ada.id)
