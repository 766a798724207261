"""Adapters from URLs: one way for both colours, since nothing suspends with blocking clients."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar

import attrs

from authx_adapters.breaker import CircuitBreaker
from authx_adapters.clock import SystemClock
from authx_adapters.common.address import brief, scheme
from authx_adapters.common.settle import settle
from authx_adapters.common.timeouts import seconds
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_adapters.threaded import Threaded, ThreadedCache, ThreadedHasher, ThreadedUserStore
from authx_core import (
    Cache,
    Callback,
    Clock,
    InvalidValue,
    PasswordHasher,
    Policy,
    Problem,
    UsersRepo,
    UserStore,
)
from authx_core.domain.secret import Secret

if TYPE_CHECKING:
    from authx_adapters.mongodb import MongoCache, MongoUserStore
    from authx_adapters.sqlalchemy import SQLAlchemyCache, SQLAlchemyUserStore
    from authx_adapters.sqlalchemy.opening import Opened

_R = TypeVar("_R", bound=UsersRepo)
_T = TypeVar("_T", ThreadedUserStore, ThreadedCache, ThreadedHasher)

_SIX_HOURS: Final = timedelta(hours=6)
_EXTRAS: Final = {
    "sqlite": "sqlalchemy",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mariadb": "mariadb",
    "mysql": "mariadb",
}
"""Relational databases, and the extra that has their drivers."""
_MONGODB: Final = frozenset({"mongodb", "mongodb+srv"})
_REDIS: Final = frozenset(f"{name}{kind}" for name in ("redis", "rediss") for kind in ("", "+cluster", "+sentinel")) | {
    "unix",
    "redis+socket",
}


def _timeout(given: float | timedelta) -> float:
    return _bound("timeout", given)


def _cache_timeout(given: float | timedelta) -> float:
    return _bound("cache_timeout", given)


def _bound(field: str, given: float | timedelta) -> float:
    """Return a timeout in seconds. Raises `InvalidValue` that names it."""
    try:
        bound = seconds(given)
    except InvalidValue as error:
        raise InvalidValue(*(attrs.evolve(problem, field=field) for problem in error.problems)) from None
    if bound is None:
        raise InvalidValue(Problem(field, "out_of_range", "must be positive: every call ends"))
    return bound


class Options(TypedDict, total=False):
    """What `connect` and its kin take beside the URL; `connect` tells the meaning and the defaults."""

    cache_url: str | Secret
    callbacks: Iterable[Callback]
    access_expiration: float | timedelta
    clock: Clock
    hasher: PasswordHasher
    policy: Policy
    timeout: float | timedelta
    cache_timeout: float | timedelta


@attrs.frozen(kw_only=True)
class Recipe:
    """What is to be opened."""

    url: Secret = attrs.field(converter=Secret)
    cache_url: Secret = attrs.field(converter=Secret)
    callbacks: Iterable[Callback] = ()
    access_expiration: float | timedelta = _SIX_HOURS
    clock: Clock = attrs.field(factory=SystemClock)
    hasher: PasswordHasher | None = None
    policy: Policy | None = None
    timeout: float = attrs.field(default=5.0, converter=_timeout)
    cache_timeout: float = attrs.field(default=0.5, converter=_cache_timeout)

    async def open(self, repo: type[_R], *, blocking: bool) -> _R:
        """Open a facade whose `aclose` closes all that was opened for it."""
        async with AsyncExitStack() as stack:
            opening = _Opening(stack, self.clock, blocking, max(self.timeout, self.cache_timeout))
            users = repo(
                await opening.store(self.url, self.timeout),
                await opening.cache(self.cache_url, self.cache_timeout),
                self.callbacks,
                self.access_expiration,
                clock=self.clock,
                hasher=self.hasher or opening.hasher(self.timeout),
                policy=self.policy,
            )
            users.closing = stack.pop_all().aclose
        return users


@attrs.frozen
class _Opening:
    """What is opened for one caller, each client once."""

    stack: AsyncExitStack
    clock: Clock
    blocking: bool
    patience: float
    """Seconds within which tables are made and verified, and a connection comes about: also a cache's."""
    clients: dict[Secret, Any] = attrs.field(factory=dict[Secret, Any])

    async def store(self, url: Secret, within: float) -> UserStore:
        database = scheme(url)
        if database == "memory":
            return MemoryUserStore()
        if database in _MONGODB:
            with _driver("url", "mongodb"):
                from authx_adapters.mongodb import MongoUserStore  # noqa: PLC0415 - only who uses it needs the extra
            users = self._mongodb(url, "url")
            await _with_indexes(MongoUserStore(users, timeout=self.patience))
            return MongoUserStore(users, timeout=within)
        if database.partition("+")[0] in _EXTRAS:
            with _driver("url", "sqlalchemy"):
                from authx_adapters.sqlalchemy import SQLAlchemyUserStore  # noqa: PLC0415 - likewise
            opened = self._engine(url, "url")
            await _with_tables(SQLAlchemyUserStore(opened.engine, timeout=self.patience))
            store = SQLAlchemyUserStore(opened.engine, timeout=within)
            return self._in_threads(Threaded(store, timeout=within)) if opened.in_threads else store
        raise _unknown("url", database)

    async def cache(self, url: Secret, within: float) -> Cache:
        if scheme(url) == "memory":
            return MemoryCache(self.clock)
        return CircuitBreaker(await self._cache(url, within))  # for one that does not answer, a login waits once

    async def _cache(self, url: Secret, within: float) -> Cache:
        database = scheme(url)
        if database in _REDIS:
            return self._redis_cache(url, within)
        if database in _MONGODB:
            with _driver("cache_url", "mongodb"):
                from authx_adapters.mongodb import MongoCache  # noqa: PLC0415 - only who uses it needs the extra
            entries = self._mongodb(url, "cache_url")
            await _with_indexes(MongoCache(entries, self.clock, timeout=self.patience))
            return MongoCache(entries, self.clock, timeout=within)
        if database.partition("+")[0] in _EXTRAS:
            with _driver("cache_url", "sqlalchemy"):
                from authx_adapters.sqlalchemy import SQLAlchemyCache  # noqa: PLC0415 - likewise
            opened = self._engine(url, "cache_url")
            await _with_tables(SQLAlchemyCache(opened.engine, self.clock, timeout=self.patience))
            cache = SQLAlchemyCache(opened.engine, self.clock, timeout=within)
            return self._in_threads(Threaded(cache, timeout=within)) if opened.in_threads else cache
        raise _unknown("cache_url", database)

    def hasher(self, timeout: float) -> PasswordHasher:
        from authx_adapters.passlib import PasslibHasher  # noqa: PLC0415 - only who uses it needs the extra

        if self.blocking:
            return PasslibHasher()
        return self._in_threads(Threaded(PasslibHasher(), workers=2, queue=64, timeout=timeout))

    def _in_threads(self, port: _T) -> _T:
        self._close_at_the_end(port.aclose)
        return port

    def _engine(self, url: Secret, field: str) -> Opened:
        from authx_adapters.sqlalchemy.opening import open_engine  # noqa: PLC0415 - only who uses it needs the extra

        if url not in self.clients:
            with _driver(field, _EXTRAS[scheme(url).partition("+")[0]]):
                self.clients[url] = open_engine(url, field, self.patience, blocking=self.blocking)
            self._close_at_the_end(self.clients[url].engine.dispose)
        opened: Opened = self.clients[url]
        return opened

    def _mongodb(self, url: Secret, field: str) -> Any:
        from authx_adapters.mongodb.opening import DATABASE, open_client  # noqa: PLC0415 - likewise

        if url not in self.clients:
            self.clients[url] = open_client(url, field, self.patience, blocking=self.blocking)
            self._close_at_the_end(self.clients[url].close)
        return self.clients[url].get_default_database(DATABASE)

    def _redis_cache(self, url: Secret, timeout: float) -> Cache:
        with _driver("cache_url", "redis"):
            from authx_adapters.redis import RedisCache  # noqa: PLC0415 - only who uses it needs the extra
            from authx_adapters.redis.opening import open_client  # noqa: PLC0415 - likewise
        opened = open_client(url, "cache_url", timeout, blocking=self.blocking)
        for close in opened.closing:
            self._close_at_the_end(close)
        return RedisCache(opened.client, timeout=timeout, **opened.options)

    def _close_at_the_end(self, close: Any) -> None:
        self.stack.push_async_callback(_settled, close)


async def _settled(close: Any) -> None:
    """Call a client's closing, of either colour."""
    await settle(close())


async def _with_tables(adapter: SQLAlchemyUserStore | SQLAlchemyCache) -> None:
    await adapter.create_schema()
    await adapter.verify_schema()


async def _with_indexes(adapter: MongoUserStore | MongoCache) -> None:
    await adapter.ensure_indexes()
    await adapter.verify_schema()


@contextmanager
def _driver(field: str, extra: str) -> Generator[None, None, None]:
    try:
        yield
    except ImportError as error:
        reason = f"needs a driver that is not installed: pip install 'authx-users[{extra}]'"
        raise InvalidValue(Problem(field, "missing_driver", reason)) from error


def _unknown(field: str, database: str) -> InvalidValue:
    places = "memory://, sqlite:///file, postgresql://host/db, mariadb://host/db, mongodb://host/db"
    if field == "cache_url":
        places += ", redis://host, unix:///socket, redis+cluster://host, redis+sentinel://host/service"
    named = f"says {brief(database)}, but " if database else ""
    return InvalidValue(Problem(field, "unsupported", f"{named}must be one of {places}"))
