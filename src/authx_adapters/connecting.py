"""A working `UsersRepo` from a URL, for scripts, demos and applications with no wiring of their own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Final

from authx_adapters.clock import SystemClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_adapters.threaded import Threaded
from authx_core import (
    BlockingUsersRepo,
    Callback,
    Clock,
    InvalidValue,
    PasswordHasher,
    Policy,
    Problem,
    UsersRepo,
    UserStore,
    run,
)

_SIX_HOURS: Final = timedelta(hours=6)
_ARGUMENTS: Final = {"timeout": 30}
"""Seconds that a write waits for another process's."""


@asynccontextmanager
async def connect(
    url: str,
    *,
    callbacks: Iterable[Callback] = (),
    access_expiration: float | timedelta = _SIX_HOURS,
    clock: Clock | None = None,
    hasher: PasswordHasher | None = None,
    policy: Policy | None = None,
    repo: type[UsersRepo] = UsersRepo,
) -> AsyncGenerator[UsersRepo, None]:
    """Open a `UsersRepo` for asynchronous callers; leaving the block closes what it opened.

    ``url`` is ``memory://``, ``sqlite:///users.db`` (a blocking store in threads: the fastest way to SQLite) or
    ``sqlite+aiosqlite:///users.db``. Missing tables are created. The cache is in memory. ``repo`` may be a class
    of your own. Raises `InvalidValue` for another URL.
    """
    clock = clock or SystemClock()
    hasher = hasher or Threaded(_default_hasher(), workers=2, queue=64)
    async with _asynchronous_store(url) as store:
        yield repo(store, MemoryCache(clock), callbacks, access_expiration, clock=clock, hasher=hasher, policy=policy)


@contextmanager
def connect_blocking(
    url: str,
    *,
    callbacks: Iterable[Callback] = (),
    access_expiration: float | timedelta = _SIX_HOURS,
    clock: Clock | None = None,
    hasher: PasswordHasher | None = None,
    policy: Policy | None = None,
    repo: type[UsersRepo] = UsersRepo,
) -> Generator[BlockingUsersRepo, None, None]:
    """Open a `BlockingUsersRepo`, from any number of threads; otherwise like `connect`.

    ``url`` is ``memory://`` or ``sqlite:///users.db``.
    """
    clock = clock or SystemClock()
    hasher = hasher or _default_hasher()
    with _blocking_store(url) as store:
        yield BlockingUsersRepo(
            repo(store, MemoryCache(clock), callbacks, access_expiration, clock=clock, hasher=hasher, policy=policy)
        )


def _default_hasher() -> PasswordHasher:
    from authx_adapters.passlib import PasslibHasher  # noqa: PLC0415 - only who uses it needs the extra

    return PasslibHasher()


@asynccontextmanager
async def _asynchronous_store(url: str) -> AsyncGenerator[UserStore, None]:
    if not _is(url, "sqlite+aiosqlite"):
        with _blocking_store(url) as store:
            yield store if _is(url, "memory") else Threaded(store)
        return
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - only who uses it needs the extra

    from authx_adapters.sqlalchemy import SQLAlchemyUserStore  # noqa: PLC0415 - likewise

    engine = create_async_engine(_with_file(url), connect_args=_ARGUMENTS, hide_parameters=True)
    try:
        store = SQLAlchemyUserStore(engine)
        await store.create_schema()
        yield store
    finally:
        await engine.dispose()


@contextmanager
def _blocking_store(url: str) -> Generator[UserStore, None, None]:
    if _is(url, "memory"):
        yield MemoryUserStore()
        return
    if not _is(url, "sqlite", "sqlite+pysqlite"):
        raise _unknown()
    from sqlalchemy import create_engine  # noqa: PLC0415 - only who uses it needs the extra

    from authx_adapters.sqlalchemy import SQLAlchemyUserStore  # noqa: PLC0415 - likewise

    engine = create_engine(_with_file(url), connect_args=_ARGUMENTS, hide_parameters=True)
    try:
        store = SQLAlchemyUserStore(engine)
        run(store.create_schema())
        yield store
    finally:
        engine.dispose()


def _is(url: str, *schemes: str) -> bool:
    return isinstance(url, str) and url.partition("://")[0] in schemes


def _with_file(url: str) -> str:
    """Return the URL. Refuses a database in SQLite's memory, which every connection would have one of."""
    path = url.partition("://")[2].lstrip("/").partition("?")[0]
    if path in ("", ":memory:") or "mode=memory" in url:
        raise InvalidValue(Problem("url", "unsupported", "must name a file: for users in memory, say memory://"))
    return url


def _unknown() -> InvalidValue:
    reason = "must be memory://, sqlite:///file or (asynchronous only) sqlite+aiosqlite:///file"
    return InvalidValue(Problem("url", "unsupported", reason))
