"""Adapters from URLs: one way for both colours, since nothing suspends with blocking clients."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from authx_adapters._settle import settle
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_adapters.threaded import Threaded
from authx_core import Cache, CacheUnavailable, Clock, InvalidValue, Problem, UserStore

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from authx_adapters.mongodb import MongoCache, MongoUserStore
    from authx_adapters.sqlalchemy import SQLAlchemyCache, SQLAlchemyUserStore

_OnSQL = TypeVar("_OnSQL", "SQLAlchemyUserStore", "SQLAlchemyCache")
_OnMongoDB = TypeVar("_OnMongoDB", "MongoUserStore", "MongoCache")

_SQL: Final = {
    "sqlite": ("pysqlite", "pysqlite", "sqlalchemy"),
    "postgresql": ("psycopg", "asyncpg", "postgresql"),
    "mariadb": ("pymysql", "asyncmy", "mariadb"),
    "mysql": ("pymysql", "asyncmy", "mariadb"),
}
"""Databases, with the drivers for a blocking and an asynchronous caller who names none, and the extra that has both."""
_BLOCKING: Final = frozenset({"pysqlite", "psycopg", "pymysql"})
_ASYNCHRONOUS: Final = frozenset({"aiosqlite", "asyncpg", "psycopg", "asyncmy", "aiomysql"})
_MONGODB: Final = frozenset({"mongodb", "mongodb+srv"})
_REDIS: Final = frozenset({"redis", "rediss", "redis+cluster", "rediss+cluster"})
_HOUR: Final = 3600
"""Seconds after which a connection is not used again: MariaDB closes idle ones after eight hours."""
_PATIENCE: Final = 30
"""Seconds that a write to SQLite waits for another process's."""

_CONNECT_ARGS: Final[dict[str, dict[str, Any]]] = {
    "pysqlite": {"timeout": _PATIENCE},
    "aiosqlite": {"timeout": _PATIENCE},
    "psycopg": {"prepare_threshold": None},  # a pooler would mix up the statements that clients prepare under one name
}

_MONGODB_PATIENCE: Final = {"serverSelectionTimeoutMS": 5_000}
"""How long a call waits for a server that is gone, unless the URL says; PyMongo's own default is 30 seconds."""


@asynccontextmanager
async def opened(
    url: str, cache_url: str, clock: Clock, *, blocking: bool
) -> AsyncGenerator[tuple[UserStore, Cache], None]:
    """Open a store and a cache, ready for use; close in the end what was opened."""
    async with AsyncExitStack() as stack:
        opening = _Opening(stack, clock, blocking)
        yield await opening.store(url), await opening.cache(cache_url)


@attrs.frozen
class _Opening:
    """What is opened for one caller, each client once."""

    stack: AsyncExitStack
    clock: Clock
    blocking: bool
    clients: dict[str, Any] = attrs.field(factory=dict[str, Any])

    async def store(self, url: str) -> UserStore:
        scheme = _scheme(url, "url")
        if scheme == "memory":
            return MemoryUserStore()
        if scheme in _MONGODB:
            with _driver("url", "mongodb"):
                from authx_adapters.mongodb import MongoUserStore  # noqa: PLC0415 - only who uses it needs the extra
            return await _with_indexes(MongoUserStore(self._mongodb(url, "url")))
        if scheme.partition("+")[0] in _SQL:
            with _driver("url", "sqlalchemy"):
                from authx_adapters.sqlalchemy import SQLAlchemyUserStore  # noqa: PLC0415 - likewise
            engine, threads = self._engine(url, "url")
            store = await _with_tables(SQLAlchemyUserStore(engine))
            return Threaded(store) if threads else store
        raise _unknown("url")

    async def cache(self, url: str) -> Cache:
        scheme = _scheme(url, "cache_url")
        if scheme == "memory":
            return MemoryCache(self.clock)
        if scheme in _REDIS:
            return self._redis_cache(url)
        if scheme in _MONGODB:
            with _driver("cache_url", "mongodb"):
                from authx_adapters.mongodb import MongoCache  # noqa: PLC0415 - only who uses it needs the extra
            return await _with_indexes(MongoCache(self._mongodb(url, "cache_url"), self.clock))
        if scheme.partition("+")[0] in _SQL:
            with _driver("cache_url", "sqlalchemy"):
                from authx_adapters.sqlalchemy import SQLAlchemyCache  # noqa: PLC0415 - likewise
            engine, threads = self._engine(url, "cache_url")
            cache = await _with_tables(SQLAlchemyCache(engine, self.clock))
            return Threaded(cache) if threads else cache
        raise _unknown("cache_url")

    def _engine(self, url: str, field: str) -> tuple[Engine | AsyncEngine, bool]:
        """Return an engine, and whether an asynchronous caller needs threads for it."""
        from sqlalchemy import create_engine, make_url  # noqa: PLC0415 - only who uses it needs the extra
        from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - likewise
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - likewise

        try:
            address = make_url(url)
        except (ArgumentError, ValueError):
            raise InvalidValue(Problem(field, "invalid", "is not a URL of a database")) from None
        database, _, driver = address.drivername.partition("+")
        for_blocking, for_asynchronous, extra = _SQL[database]
        driver = driver or (for_blocking if self.blocking else for_asynchronous)
        if driver not in (_BLOCKING if self.blocking else _BLOCKING | _ASYNCHRONOUS):
            raise _unknown(field)
        if database == "sqlite":
            _refuse_memory(field, address.database)
        asynchronous = not self.blocking and driver in _ASYNCHRONOUS
        if url not in self.clients:
            make = create_async_engine if asynchronous else create_engine
            with _driver(field, extra):
                self.clients[url] = make(
                    address.set(drivername=f"{'mariadb' if database == 'mysql' else database}+{driver}"),
                    connect_args=_CONNECT_ARGS.get(driver, {}),
                    hide_parameters=True,
                    isolation_level="AUTOCOMMIT",
                    pool_recycle=_HOUR,
                    skip_autocommit_rollback=True,
                )
            self._close_at_the_end(self.clients[url].dispose)
        return self.clients[url], not self.blocking and not asynchronous

    def _mongodb(self, url: str, field: str) -> Any:
        from pymongo import AsyncMongoClient, MongoClient  # noqa: PLC0415 - only who uses it needs the extra
        from pymongo.errors import PyMongoError  # noqa: PLC0415 - likewise

        if url not in self.clients:
            try:
                options = {} if "serverselectiontimeoutms" in url.lower() else _MONGODB_PATIENCE
                make: Any = MongoClient if self.blocking else AsyncMongoClient
                self.clients[url] = make(url, **options)
            except (PyMongoError, ValueError):
                raise InvalidValue(Problem(field, "invalid", "is not a URL of MongoDB")) from None
            self._close_at_the_end(self.clients[url].close)
        return self.clients[url].get_default_database("authx")

    def _redis_cache(self, url: str) -> Cache:
        with _driver("cache_url", "redis"):
            import redis  # noqa: PLC0415 - only who uses it needs the extra
            import redis.asyncio  # noqa: PLC0415 - likewise
            from redis.exceptions import RedisClusterException, RedisError  # noqa: PLC0415 - likewise

            from authx_adapters.redis import RedisCache  # noqa: PLC0415 - likewise

        library: Any = redis if self.blocking else redis.asyncio
        queueing: Any = library.BlockingConnectionPool  # the usual pool refuses who finds no connection free
        try:
            if "+cluster" in url:
                plain = url.replace("+cluster", "", 1)
                options = {"connection_pool_class": queueing} if self.blocking else {}
                client = library.RedisCluster.from_url(plain, **options)
            else:
                client = library.Redis.from_pool(queueing.from_url(url))
        except ValueError:
            raise InvalidValue(Problem("cache_url", "invalid", "is not a URL of Redis")) from None
        except (RedisError, RedisClusterException) as error:
            raise CacheUnavailable(f"{type(error).__name__}: {error}") from error
        self._close_at_the_end(client.close if self.blocking else client.aclose)
        if self.blocking and "+cluster" in url:
            self._close_at_the_end(client.disconnect_connection_pools)  # which `close` leaves open
        return RedisCache(client)

    def _close_at_the_end(self, close: Any) -> None:
        self.stack.push_async_callback(settled, close)


async def settled(close: Any) -> None:
    """Call a client's closing, of either colour."""
    await settle(close())


async def _with_tables(adapter: _OnSQL) -> _OnSQL:
    await adapter.create_schema()
    await adapter.verify_schema()
    return adapter


async def _with_indexes(adapter: _OnMongoDB) -> _OnMongoDB:
    await adapter.ensure_indexes()
    await adapter.verify_schema()
    return adapter


def _scheme(url: str, field: str) -> str:
    if not isinstance(url, str):
        raise _unknown(field)
    return url.partition("://")[0]


def _refuse_memory(field: str, database: str | None) -> None:
    """Refuse a database in SQLite's memory, which every connection would have one of."""
    if not database or database == ":memory:" or "mode=memory" in database:
        raise InvalidValue(Problem(field, "unsupported", "must name a file: for users in memory, say memory://"))


@contextmanager
def _driver(field: str, extra: str) -> Generator[None, None, None]:
    try:
        yield
    except ImportError as error:
        reason = f"needs a driver that is not installed: pip install 'authx-users[{extra}]'"
        raise InvalidValue(Problem(field, "missing_driver", reason)) from error


def _unknown(field: str) -> InvalidValue:
    places = "memory://, sqlite:///file, postgresql://host/db, mariadb://host/db, mongodb://host/db"
    if field == "cache_url":
        places += ", redis://host, redis+cluster://host"
    reason = f"must be one of {places}, with a driver for this kind of caller if it names one"
    return InvalidValue(Problem(field, "unsupported", reason))
