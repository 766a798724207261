"""A module-level asynchronous engine in several event loops."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from sqlalchemy import text
from sqlalchemy.pool import NullPool

from authx_adapters.clock import ManualClock
from authx_adapters.sqlalchemy import SQLAlchemyCache, SQLAlchemyUserStore
from authx_contract.samples.users import full_user
from authx_core import InvalidValue, User
from engines.drivers import ASYNCHRONOUS, SQL, Driver

LOOPED: Final = [driver for driver in ASYNCHRONOUS if driver in SQL]
AT_ONCE: Final = 30
"""Callers; more than the pool has connections, so that some queue."""
each = pytest.mark.parametrize("driver", LOOPED, ids=str)


class Application:
    """An engine, with a store and a cache on it."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.store, self.cache = SQLAlchemyUserStore(engine), SQLAlchemyCache(engine, ManualClock())
        self.user: User = full_user("ana")

    async def start(self) -> None:
        await self.store.create_schema()
        await self.cache.create_schema()
        await self.store.create(self.user)

    async def use(self) -> None:
        found = await asyncio.gather(*(self.store.get(self.user.id) for _ in range(AT_ONCE)))
        assert found == [self.user] * AT_ONCE
        assert await asyncio.gather(*(self.cache.get("nothing") for _ in range(AT_ONCE))) == [None] * AT_ONCE

    async def use_without_us(self) -> None:
        async def ask() -> None:
            async with self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))

        await asyncio.gather(*(ask() for _ in range(AT_ONCE // 10)))

    async def end(self) -> None:
        await self.use()
        await self.engine.dispose()


@contextmanager
def application(driver: Driver, **options: Any) -> Iterator[Application]:
    """Lend an application; then close it and collect garbage, so that a leaked connection fails the test."""
    with driver.space() as url:
        made = Application(driver.open(url, **options))
        try:
            yield made
        finally:
            asyncio.run(made.end())
            gc.collect()


@each
def test_an_engine_serves_one_loop_after_another(driver: Driver) -> None:
    with application(driver) as made:
        asyncio.run(made.start())
        for _ in range(4):
            asyncio.run(made.use())
            gc.collect()


@each
def test_a_cache_and_a_store_may_use_the_engine_in_different_loops(driver: Driver) -> None:
    with application(driver) as made:
        asyncio.run(made.start())
        assert asyncio.run(made.cache.get("nothing")) is None
        assert asyncio.run(made.store.get(made.user.id)) == made.user


@each
def test_connections_that_the_application_opened_in_a_closed_loop_are_replaced(driver: Driver) -> None:
    """The application queried the database in a loop in which no adapter of ours was used."""
    with application(driver) as made:
        asyncio.run(made.use_without_us())
        asyncio.run(made.start())
        asyncio.run(made.use())


@each
def test_an_engine_of_an_open_loop_is_refused_in_another_loop(driver: Driver) -> None:
    with application(driver) as made:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(made.start())
        for adapter in (made.store.get("1"), made.cache.get("1")):
            with pytest.raises(InvalidValue, match="another event loop"):
                asyncio.run(adapter)
        loop.run_until_complete(made.use())
        loop.close()


@each
def test_a_connection_of_another_loop_is_refused(driver: Driver) -> None:
    with application(driver, isolation_level=None, skip_autocommit_rollback=False) as made, asyncio.Runner() as runner:

        async def connect() -> Any:
            await made.start()
            return await made.engine.connect()

        connection = runner.run(connect())
        with pytest.raises(InvalidValue, match="another event loop"):
            asyncio.run(SQLAlchemyUserStore(connection).get("1"))
        runner.run(connection.close())


@each
def test_an_engine_without_a_pool_serves_two_loops_at_once(driver: Driver) -> None:
    with application(driver, poolclass=NullPool) as made, asyncio.Runner() as runner:
        runner.run(made.start())
        asyncio.run(made.use())
        runner.run(made.use())
