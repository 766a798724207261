"""The harness of the SQLAlchemy adapters: each handle has its own engine, on the tables of a namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from sqlalchemy import Connection, Engine, Table, create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from authx_adapters.sqlalchemy import CacheSchema, Schema, SQLAlchemyCache, SQLAlchemyUserStore
from authx_contract import Capabilities, Harness, SteppedClock, never_suspends
from authx_core import StoreUnavailable
from authx_core.ports import Cache, UserStore

R = TypeVar("R")


class SQL(Harness):
    """The common part for all databases and drivers."""

    capabilities = Capabilities(namespaced=True, processes=True)
    asynchronous: ClassVar[bool] = False

    def __init__(self) -> None:
        self.engines: list[Engine | AsyncEngine] = []

    @property
    def url(self) -> str:
        raise NotImplementedError

    @property
    def prefix(self) -> str:
        return "".join(each if each.isalnum() else f"_{ord(each)}_" for each in self.namespace)

    @property
    def schemas(self) -> tuple[Schema, CacheSchema]:
        return Schema(prefix=self.prefix), CacheSchema(prefix=self.prefix)

    def engine(self) -> Engine | AsyncEngine:
        self.engines.append((create_async_engine if self.asynchronous else create_engine)(self.url))
        return self.engines[-1]

    async def store(self) -> SQLAlchemyUserStore:
        store = SQLAlchemyUserStore(self.engine(), self.schemas[0])
        try:
            await store.create_schema()
        except StoreUnavailable:
            await store.verify_schema()
            raise
        await store.verify_schema()
        return store

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        store = await self.store()
        return store if self.asynchronous else never_suspends(store)

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        cache = await self.entries(clock)
        return cache if self.asynchronous else never_suspends(cache)

    async def entries(self, clock: SteppedClock) -> SQLAlchemyCache:
        cache = SQLAlchemyCache(self.engine(), clock, self.schemas[1])
        await cache.create_schema()
        return cache

    async def stored(self) -> int:
        count = text(f"SELECT count(*) FROM {self.prefix}cache")  # noqa: S608 - the prefix is ours
        return await self.connected(lambda connection: int(connection.execute(count).scalar_one()))

    async def age_schema(self) -> None:
        drop = text(f"ALTER TABLE {self.prefix}users DROP COLUMN epoch")
        await self.connected(lambda connection: connection.execute(drop))

    async def foreign_schema(self) -> None:
        await self.reset()
        create = text(f"CREATE TABLE {self.prefix}users (id INTEGER PRIMARY KEY, name VARCHAR(20))")
        await self.connected(lambda connection: connection.execute(create))

    async def reset(self) -> None:
        def drop(connection: Connection) -> None:
            tables: list[Table] = [table for schema in self.schemas for table in reversed(schema.tables)]
            for table in tables:
                table.drop(connection, checkfirst=True)

        await self.close()
        await self.connected(drop)

    async def connected(self, work: Callable[[Connection], R]) -> R:
        engine = (create_async_engine if self.asynchronous else create_engine)(self.url)
        try:
            if isinstance(engine, AsyncEngine):
                async with engine.begin() as asynchronous:
                    return await asynchronous.run_sync(work)
            with engine.begin() as connection:
                return work(connection)
        finally:
            await _dispose(engine)

    async def close(self) -> None:
        while self.engines:
            await _dispose(self.engines.pop())


async def _dispose(engine: Engine | AsyncEngine) -> None:
    if isinstance(engine, AsyncEngine):
        await engine.dispose()
    else:
        engine.dispose()
