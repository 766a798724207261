"""A working `UsersRepo` from a URL, for scripts, demos and applications with no wiring of their own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Final

from authx_adapters._opening import opened
from authx_adapters.clock import SystemClock
from authx_adapters.threaded import Threaded
from authx_core import BlockingUsersRepo, Callback, Clock, PasswordHasher, Policy, UsersRepo, run

_SIX_HOURS: Final = timedelta(hours=6)


@asynccontextmanager
async def connect(
    url: str,
    *,
    cache_url: str = "memory://",
    callbacks: Iterable[Callback] = (),
    access_expiration: float | timedelta = _SIX_HOURS,
    clock: Clock | None = None,
    hasher: PasswordHasher | None = None,
    policy: Policy | None = None,
    repo: type[UsersRepo] = UsersRepo,
) -> AsyncGenerator[UsersRepo, None]:
    """Open a `UsersRepo` for asynchronous callers; leaving the block closes what it opened.

    ``url`` says where the users are:

    - ``memory://``
    - ``sqlite:///users.db`` (a blocking store in threads: the fastest way to SQLite), ``sqlite+aiosqlite:///users.db``
    - ``postgresql://host/db`` (through asyncpg), ``postgresql+psycopg://…``
    - ``mariadb://host/db`` (through asyncmy), ``mariadb+aiomysql://…``, ``mariadb+pymysql://…`` (in threads)
    - ``mongodb://host/db``, ``mongodb+srv://…``

    ``cache_url`` says where counters and links are: in this process's memory, or for all processes at
    ``redis://host``, ``rediss://host``, ``redis+cluster://host``, or in any of the databases above.

    Missing tables and indexes are created, and what is there is verified. ``repo`` may be a class of your own. Raises
    `InvalidValue` for another URL or a driver that is not installed, `InvalidSchema` for a database that would break a
    promise, and `StoreUnavailable` or `CacheUnavailable` for one that cannot be reached.
    """
    clock = clock or SystemClock()
    hasher = hasher or Threaded(_default_hasher(), workers=2, queue=64)
    async with opened(url, cache_url, clock, blocking=False) as (store, cache):
        yield repo(store, cache, callbacks, access_expiration, clock=clock, hasher=hasher, policy=policy)


@contextmanager
def connect_blocking(
    url: str,
    *,
    cache_url: str = "memory://",
    callbacks: Iterable[Callback] = (),
    access_expiration: float | timedelta = _SIX_HOURS,
    clock: Clock | None = None,
    hasher: PasswordHasher | None = None,
    policy: Policy | None = None,
    repo: type[UsersRepo] = UsersRepo,
) -> Generator[BlockingUsersRepo, None, None]:
    """Open a `BlockingUsersRepo`, from any number of threads; otherwise like `connect`.

    ``postgresql://`` goes through psycopg here, and ``mariadb://`` through PyMySQL; drivers that are only
    asynchronous are refused.
    """
    clock = clock or SystemClock()
    hasher = hasher or _default_hasher()
    adapters = opened(url, cache_url, clock, blocking=True)
    store, cache = run(adapters.__aenter__())
    try:
        yield BlockingUsersRepo(
            repo(store, cache, callbacks, access_expiration, clock=clock, hasher=hasher, policy=policy)
        )
    finally:
        run(adapters.__aexit__(None, None, None))


def _default_hasher() -> PasswordHasher:
    from authx_adapters.passlib import PasslibHasher  # noqa: PLC0415 - only who uses it needs the extra

    return PasslibHasher()
