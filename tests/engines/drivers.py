"""One interface for every pair of engine and driver, so that a test covers all of them."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import attrs
from pymongo import AsyncMongoClient, MongoClient
from redis import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio import BlockingConnectionPool as AsyncBlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio import RedisCluster as AsyncRedisCluster
from sqlalchemy import create_engine, make_url
from sqlalchemy.ext.asyncio import create_async_engine

import servers
from authx_adapters.common.settle import settle
from authx_adapters.mongodb import MongoCache, MongoUserStore
from authx_adapters.redis import RedisCache
from authx_adapters.sqlalchemy import SQLAlchemyCache, SQLAlchemyUserStore
from authx_core.ports import Cache, Clock, UserStore

Open = Callable[..., Any]
"""Makes a client for a URL, with the driver's own options."""


@attrs.frozen
class Driver:
    """How to reach an engine: its server, its client, and whether that client is blocking."""

    name: str
    kind: servers.Kind | None
    """The server; None for SQLite, which needs none."""
    blocking: bool
    open: Open

    def __str__(self) -> str:
        return self.name

    @property
    def single(self) -> Mapping[str, int]:
        """The options that give a client a single connection, for which callers queue."""
        match self.kind:
            case "mongodb" | "mongodb-replica-set":
                return {"maxPoolSize": 1}
            case "redis" | "redis-cluster":
                return {"max_connections": 1}
            case _:
                return {"pool_size": 1, "max_overflow": 0}

    @property
    def keeps_users(self) -> bool:
        """Whether the engine has a user store; each has a cache."""
        return self.kind not in {"redis", "redis-cluster"}

    @contextmanager
    def space(self, at: str | None = None) -> Generator[str, None, None]:
        """Lend the URL of a new database or key prefix, on the shared server or the one at a URL."""
        match self.kind:
            case None:
                with tempfile.TemporaryDirectory() as folder:
                    yield f"sqlite:///{Path(folder, 'users.db')}"
            case "redis" | "redis-cluster":
                with servers.prefix(self.kind, at) as prefix:
                    yield f"{at or servers.url(self.kind)}#{prefix}"
            case kind:
                with servers.database(kind, at) as url:
                    yield url

    @asynccontextmanager
    async def client(self, url: str, **options: Any) -> AsyncGenerator[Any, None]:
        """Lend a client for a space."""
        client = self.open(url.partition("#")[0], **options)
        try:
            yield client
        finally:
            if isinstance(client, RedisCluster):
                client.disconnect_connection_pools()  # type: ignore[no-untyped-call] # `close` leaves these open in a client made from a URL
            close = next(name for name in ("dispose", "aclose", "close") if hasattr(type(client), name))
            await settle(getattr(client, close)())

    def users(self, client: Any, url: str) -> UserStore:
        """Make a user store on a client."""
        return MongoUserStore(_database(client, url)) if _is_mongodb(url) else SQLAlchemyUserStore(client)

    def cache(self, client: Any, url: str, clock: Clock) -> Cache:
        """Make a cache on a client."""
        if not self.keeps_users:
            return RedisCache(client, prefix=url.partition("#")[2])
        return MongoCache(_database(client, url), clock) if _is_mongodb(url) else SQLAlchemyCache(client, clock)


async def prepare(adapter: Any) -> None:
    """Create the tables or indexes that an adapter needs."""
    for name in ("create_schema", "ensure_indexes"):
        if hasattr(adapter, name):
            await getattr(adapter, name)()


def _is_mongodb(url: str) -> bool:
    return url.startswith("mongodb")


def _database(client: Any, url: str) -> Any:
    return client[urlsplit(url).path[1:] or "authx"]


def _sql(dialect: str, make: Callable[..., Any]) -> Open:
    def open_(url: str, **options: Any) -> Any:
        defaults = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True, "hide_parameters": True}
        return make(make_url(url).set(drivername=dialect), **defaults | options)

    return open_


def _queueing(client: Any, pool: Any) -> Open:
    """Make callers wait for a Redis connection; the default pool refuses them."""
    return lambda url, **options: client.from_pool(pool.from_url(url, **options))


_QUEUEING_CLUSTER: Final = partial(RedisCluster.from_url, connection_pool_class=BlockingConnectionPool)
_SQL: Final = [
    ("sqlite", None, "sqlite"),
    ("psycopg", "postgres", "postgresql+psycopg"),
    ("pymysql", "mariadb", "mariadb+pymysql"),
]
_ASYNC_SQL: Final = [
    ("aiosqlite", None, "sqlite+aiosqlite"),
    ("asyncpg", "postgres", "postgresql+asyncpg"),
    ("async-psycopg", "postgres", "postgresql+psycopg"),
    ("asyncmy", "mariadb", "mariadb+asyncmy"),
    ("aiomysql", "mariadb", "mariadb+aiomysql"),
]
DRIVERS: Final[dict[str, Driver]] = {
    driver.name: driver
    for driver in (
        *(Driver(name, kind, True, _sql(dialect, create_engine)) for name, kind, dialect in _SQL),  # type: ignore[arg-type] # the kinds are named above
        *(Driver(name, kind, False, _sql(dialect, create_async_engine)) for name, kind, dialect in _ASYNC_SQL),  # type: ignore[arg-type] # the kinds are named above
        Driver("pymongo", "mongodb", True, MongoClient),
        Driver("async-pymongo", "mongodb", False, AsyncMongoClient),
        Driver("pymongo-set", "mongodb-replica-set", True, MongoClient),
        Driver("async-pymongo-set", "mongodb-replica-set", False, AsyncMongoClient),
        Driver("redis", "redis", True, _queueing(Redis, BlockingConnectionPool)),
        Driver("async-redis", "redis", False, _queueing(AsyncRedis, AsyncBlockingConnectionPool)),
        Driver("redis-cluster", "redis-cluster", True, _QUEUEING_CLUSTER),
        Driver("async-redis-cluster", "redis-cluster", False, AsyncRedisCluster.from_url),
    )
}
SQL: Final = [driver for driver in DRIVERS.values() if driver.kind in {None, "postgres", "mariadb"}]
KEEPING_USERS: Final = [driver for driver in DRIVERS.values() if driver.keeps_users]
ASYNCHRONOUS: Final = [driver for driver in DRIVERS.values() if not driver.blocking]
