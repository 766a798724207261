"""The SQLAlchemy adapters keep the contracts: on every database, with every driver, in both colours."""

from __future__ import annotations

from functools import cached_property
from itertools import count
from typing import ClassVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from authx_adapters.sqlalchemy import CacheSchema, Schema, SQLAlchemyCache, SQLAlchemyUserStore
from authx_core.contract import CacheContract, SteppedClock, UserStoreContract, never_suspends
from authx_core.contract.base import Contract
from authx_core.ports import Cache, UserStore

_numbers = count(1)


class _On(Contract):
    url: ClassVar[str]
    asynchronous: ClassVar[bool] = False

    @cached_property
    def engines(self) -> list[Engine | AsyncEngine]:
        return []

    @cached_property
    def prefix(self) -> str:
        return f"c{next(_numbers)}_"

    @cached_property
    def schema(self) -> Schema:
        return Schema(prefix=self.prefix)

    @cached_property
    def cache_schema(self) -> CacheSchema:
        return CacheSchema(prefix=self.prefix)

    def engine(self) -> Engine | AsyncEngine:
        make = create_async_engine if self.asynchronous else create_engine
        engine = make(self.url, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
        self.engines.append(engine)
        return engine

    async def close(self) -> None:
        for engine in self.engines:
            if isinstance(engine, AsyncEngine):
                if engine is self.engines[0]:
                    async with engine.begin() as connection:
                        await connection.run_sync(self.schema.metadata.drop_all)
                        await connection.run_sync(self.cache_schema.metadata.drop_all)
                await engine.dispose()
            else:
                if engine is self.engines[0]:
                    self.schema.metadata.drop_all(engine)
                    self.cache_schema.metadata.drop_all(engine)
                engine.dispose()


class _Users(_On, UserStoreContract):
    async def open(self) -> UserStore:
        store = SQLAlchemyUserStore(self.engine(), self.schema)
        if len(self.engines) == 1:
            await store.create_schema()
            await store.verify_schema()
        return store if self.asynchronous else never_suspends(store)


class _Cache(_On, CacheContract):
    async def open(self, clock: SteppedClock, /) -> Cache:
        cache = SQLAlchemyCache(self.engine(), clock, self.cache_schema)
        if len(self.engines) == 1:
            await cache.create_schema()
            await cache.verify_schema()
        return cache if self.asynchronous else never_suspends(cache)


PG = "postgres@127.0.0.1/test"
MY = "root@127.0.0.1/test"


class TestPsycopg(_Users):
    url = f"postgresql+psycopg://{PG}"


class TestAsyncpg(_Users):
    url = f"postgresql+asyncpg://{PG}"
    asynchronous = True


class TestPsycopgAsync(_Users):
    url = f"postgresql+psycopg://{PG}"
    asynchronous = True


class TestPyMySQL(_Users):
    url = f"mariadb+pymysql://{MY}"


class TestAsyncmy(_Users):
    url = f"mariadb+asyncmy://{MY}"
    asynchronous = True


class TestAiomysql(_Users):
    url = f"mariadb+aiomysql://{MY}"
    asynchronous = True


class TestCachePsycopg(_Cache):
    url = f"postgresql+psycopg://{PG}"


class TestCacheAsyncpg(_Cache):
    url = f"postgresql+asyncpg://{PG}"
    asynchronous = True


class TestCachePyMySQL(_Cache):
    url = f"mariadb+pymysql://{MY}"


class TestCacheAsyncmy(_Cache):
    url = f"mariadb+asyncmy://{MY}"
    asynchronous = True
