"""A working `UsersRepo` from a URL, for scripts, demos and applications with no wiring of their own."""

from __future__ import annotations

import sys
import warnings
import weakref
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar, Unpack, overload

from authx_adapters.recipe import Options, Recipe
from authx_core import BlockingUsersRepo, UsersRepo, run
from authx_core.domain.secret import Secret

R = TypeVar("R", bound=UsersRepo)

_MEMORY: Final = "memory://"


@overload
async def open_users(url: str | Secret, **options: Unpack[Options]) -> UsersRepo: ...
@overload
async def open_users(url: str | Secret, *, repo: type[R], **options: Unpack[Options]) -> R: ...
async def open_users(url: str | Secret, *, repo: type[UsersRepo] = UsersRepo, **options: Unpack[Options]) -> UsersRepo:
    """Open a `UsersRepo` for the life of an application; ``await users.aclose()`` closes what was opened.

    `connect` does both around a block, and tells what the arguments mean and what is raised. A facade that is
    collected and was never closed is a `ResourceWarning`, which tells where it was opened.
    """
    url, options["cache_url"] = Secret(url), Secret(options.get("cache_url", _MEMORY))  # no traceback shows a password
    users = await Recipe(url=url, **options).open(repo, blocking=False)
    _warn_unless_closed(users, f"open_users(…) at {_caller()}", "await users.aclose()")
    return users


def open_users_blocking(
    url: str | Secret, *, repo: type[UsersRepo] = UsersRepo, **options: Unpack[Options]
) -> BlockingUsersRepo:
    """Open a `BlockingUsersRepo` for the life of an application; ``users.close()`` closes what was opened.

    `connect_blocking` does both around a block. A facade that is collected and was never closed is a
    `ResourceWarning`, which tells where it was opened.
    """
    url, options["cache_url"] = Secret(url), Secret(options.get("cache_url", _MEMORY))
    users = run(Recipe(url=url, **options).open(repo, blocking=True))
    _warn_unless_closed(users, f"open_users_blocking(…) at {_caller()}", "users.close()")
    return BlockingUsersRepo(users)


@overload
def connect(url: str | Secret, **options: Unpack[Options]) -> Connecting[UsersRepo]: ...
@overload
def connect(url: str | Secret, *, repo: type[R], **options: Unpack[Options]) -> Connecting[R]: ...
def connect(url: str | Secret, *, repo: type[Any] = UsersRepo, **options: Unpack[Options]) -> Connecting[Any]:
    """Open a `UsersRepo` for asynchronous callers, and close what was opened.

    It is written ``async with connect(url) as users:``, and `open_users` is for the life of an application.

    ``url`` says where the users are:

    - ``memory://``
    - ``sqlite:///users.db`` (a blocking store in threads: the fastest way to SQLite), ``sqlite+aiosqlite:///users.db``
    - ``postgresql://host/db`` (through asyncpg), ``postgresql+psycopg://…``
    - ``mariadb://host/db`` (through asyncmy), ``mariadb+aiomysql://…``, ``mariadb+pymysql://…`` (in threads)
    - ``mongodb://host/db``, ``mongodb+srv://…``

    ``cache_url`` says where counters and links are: in this process's memory (the default), or for all processes at
    ``redis://host``, ``rediss://host``, ``unix:///socket``, ``redis+cluster://host``,
    ``redis+sentinel://host/service``, or in any of the databases above. ``docs/engines.md`` has the options of URLs.

    ``timeout`` bounds every call of the store, the wait for a connection and the wait for a hash (5 seconds), and
    ``cache_timeout`` every call of the cache (0.5 seconds: a login makes several); seconds or a timedelta. After it,
    a call is `StoreUnavailable`, `CacheUnavailable`, or `Overloaded` if it waited for a hash.

    ``callbacks``, ``access_expiration`` (6 hours), ``clock``, ``hasher`` and ``policy`` are those of `UsersRepo`;
    ``repo`` may be a class of your own. A hasher is by default Argon2id in two threads.

    Missing tables and indexes are created, and what is there is verified. Raises `InvalidValue` for another URL, an
    option that it cannot have, or a driver that is not installed; `InvalidSchema` for a database that would break a
    promise; `StoreUnavailable` or `CacheUnavailable` for one that cannot be reached.
    """
    url, options["cache_url"] = Secret(url), Secret(options.get("cache_url", _MEMORY))
    return Connecting(Recipe(url=url, **options), repo, f"connect(…) at {_caller()}")


def connect_blocking(
    url: str | Secret, *, repo: type[UsersRepo] = UsersRepo, **options: Unpack[Options]
) -> ConnectingBlocking:
    """Open a `BlockingUsersRepo`, for any number of threads, and close what was opened.

    It is written ``with connect_blocking(url) as users:``; otherwise it is like `connect`. ``postgresql://`` goes
    through psycopg here, and ``mariadb://`` through PyMySQL; drivers that are only asynchronous are refused. A hash is
    computed in the thread that asks for it.
    """
    url, options["cache_url"] = Secret(url), Secret(options.get("cache_url", _MEMORY))
    return ConnectingBlocking(Recipe(url=url, **options), repo, f"connect_blocking(…) at {_caller()}")


class Connecting(AbstractAsyncContextManager[R], Generic[R]):
    """What `connect` returns: it opens as its block begins, and closes as that ends."""

    def __init__(self, recipe: Recipe, repo: type[R], call: str) -> None:
        self._recipe = recipe
        self._repo = repo
        self._call = call
        self._users: R | None = None

    async def __aenter__(self) -> R:
        """Open the facade."""
        self._users = users = await self._recipe.open(self._repo, blocking=False)
        _warn_unless_closed(users, self._call, "await users.aclose()")
        return users

    async def __aexit__(self, *_: object) -> None:
        """Close it; an error of the block goes on."""
        users, self._users = self._users, None
        if users is not None:
            await users.aclose()

    if not TYPE_CHECKING:  # a type checker shall see that there is nothing else

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(_hint(name, "async with connect(…)", "await open_users(…)"))


class ConnectingBlocking(AbstractContextManager[BlockingUsersRepo]):
    """What `connect_blocking` returns: it opens as its block begins, and closes as that ends."""

    def __init__(self, recipe: Recipe, repo: type[UsersRepo], call: str) -> None:
        self._recipe = recipe
        self._repo = repo
        self._call = call
        self._users: BlockingUsersRepo | None = None

    def __enter__(self) -> BlockingUsersRepo:
        """Open the facade."""
        users = run(self._recipe.open(self._repo, blocking=True))
        _warn_unless_closed(users, self._call, "users.close()")
        self._users = BlockingUsersRepo(users)
        return self._users

    def __exit__(self, *_: object) -> None:
        """Close it; an error of the block goes on."""
        users, self._users = self._users, None
        if users is not None:
            users.close()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(_hint(name, "with connect_blocking(…)", "open_users_blocking(…)"))


def _hint(name: str, block: str, call: str) -> str:
    return (
        f"nothing is open yet that has {name!r}: write `{block} as users:`, or `users = {call}` and close it yourself"
    )


def _warn_unless_closed(users: UsersRepo, call: str, closing: str) -> None:
    """Warn if a facade is collected, or the process ends, before it is closed."""
    warning = weakref.finalize(users, _warn, f"{call} was never closed: {closing} does that")
    close = users.closing

    async def close_quietly() -> None:
        warning.detach()
        if close is not None:
            await close()

    users.closing = close_quietly


def _warn(sentence: str) -> None:
    warnings.warn(sentence, ResourceWarning, stacklevel=2)


def _caller() -> str:
    """Name the line that called the function that calls this."""
    frame = sys._getframe(2)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the one way
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
