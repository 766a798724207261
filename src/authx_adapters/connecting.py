"""A `UsersRepo` from a URL, for scripts, demos and applications that need not build their adapters themselves."""

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
    """Open a `UsersRepo` for the life of an application. ``await users.aclose()`` closes its clients.

    `connect` opens and closes around a block; it also explains the arguments and errors. If a facade is garbage
    collected before it is closed, a `ResourceWarning` names the line that opened it.
    """
    url, options["cache_url"] = Secret(url), Secret(options.get("cache_url", _MEMORY))  # no traceback shows a password
    users = await Recipe(url=url, **options).open(repo, blocking=False)
    _warn_unless_closed(users, f"open_users(…) at {_caller()}", "await users.aclose()")
    return users


def open_users_blocking(
    url: str | Secret, *, repo: type[UsersRepo] = UsersRepo, **options: Unpack[Options]
) -> BlockingUsersRepo:
    """Open a `BlockingUsersRepo` for the life of an application. ``users.close()`` closes its clients.

    `connect_blocking` opens and closes around a block. If a facade is garbage collected before it is closed, a
    `ResourceWarning` names the line that opened it.
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
    """Open a `UsersRepo` for asynchronous callers, and close its clients at the end of the block.

    Write ``async with connect(url) as users:``. For the life of an application, use `open_users`.

    ``url`` says where the users are:

    - ``memory://``
    - ``sqlite:///users.db`` (a blocking store in threads, which is the fastest), ``sqlite+aiosqlite:///users.db``
    - ``postgresql://host/db`` (through asyncpg), ``postgresql+psycopg://…``
    - ``mariadb://host/db`` (through asyncmy), ``mariadb+aiomysql://…``, ``mariadb+pymysql://…`` (in threads)
    - ``mongodb://host/db``, ``mongodb+srv://…``

    ``cache_url`` says where counters and links are. The default is this process's memory. Processes share them at
    ``redis://host``, ``rediss://host``, ``unix:///socket``, ``redis+cluster://host``,
    ``redis+sentinel://host/service``, or in any of the databases above. ``docs/engines.md`` lists the options of URLs.

    ``timeout`` limits every call of the store, the wait for a connection and the wait for a hash (5 seconds by
    default). ``cache_timeout`` limits every call of the cache, of which a login makes several (0.5 seconds). Both are
    seconds or a timedelta. A call that takes longer raises `StoreUnavailable`, `CacheUnavailable`, or `Overloaded` if
    it waited for a hash.

    ``callbacks``, ``access_expiration`` (6 hours), ``clock``, ``hasher`` and ``policy`` are those of `UsersRepo`;
    ``repo`` may be a class of your own. The default hasher is Argon2id in two threads.

    Missing tables and indexes are created; existing ones are verified. Raises `InvalidValue` for an unknown URL, an
    impossible option, or a driver that is not installed; `InvalidSchema` for a database that would break a promise;
    `StoreUnavailable` or `CacheUnavailable` for one that cannot be reached.
    """
    url, options["cache_url"] = Secret(url), Secret(options.get("cache_url", _MEMORY))
    return Connecting(Recipe(url=url, **options), repo, f"connect(…) at {_caller()}")


def connect_blocking(
    url: str | Secret, *, repo: type[UsersRepo] = UsersRepo, **options: Unpack[Options]
) -> ConnectingBlocking:
    """Open a `BlockingUsersRepo` for any number of threads, and close its clients at the end of the block.

    Write ``with connect_blocking(url) as users:``. The arguments and errors are those of `connect`. Here,
    ``postgresql://`` uses psycopg and ``mariadb://`` PyMySQL; a driver that is only asynchronous is `InvalidValue`. A
    hash is computed in the thread that asks for it.
    """
    url, options["cache_url"] = Secret(url), Secret(options.get("cache_url", _MEMORY))
    return ConnectingBlocking(Recipe(url=url, **options), repo, f"connect_blocking(…) at {_caller()}")


class Connecting(AbstractAsyncContextManager[R], Generic[R]):
    """Opens a facade at the start of its block, and closes it at the end."""

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
        """Close the facade. An error of the block is not suppressed."""
        users, self._users = self._users, None
        if users is not None:
            await users.aclose()

    if not TYPE_CHECKING:  # a type checker must see that there is nothing else

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(_hint(name, "async with connect(…)", "await open_users(…)"))


class ConnectingBlocking(AbstractContextManager[BlockingUsersRepo]):
    """Opens a blocking facade at the start of its block, and closes it at the end."""

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
        """Close the facade. An error of the block is not suppressed."""
        users, self._users = self._users, None
        if users is not None:
            users.close()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(_hint(name, "with connect_blocking(…)", "open_users_blocking(…)"))


def _hint(name: str, block: str, call: str) -> str:
    return f"{block} has opened nothing yet, so it has no {name!r}: write `{block} as users:` or `users = {call}`"


def _warn_unless_closed(users: UsersRepo, call: str, closing: str) -> None:
    """Warn if a facade is garbage collected, or the process ends, before it is closed."""
    warning = weakref.finalize(users, _warn, f"{call} was never closed: {closing} does it")
    close = users.closing

    async def close_quietly() -> None:
        warning.detach()
        if close is not None:
            await close()

    users.closing = close_quietly


def _warn(sentence: str) -> None:
    warnings.warn(sentence, ResourceWarning, stacklevel=2)


def _caller() -> str:
    """Return the file and line that called our caller."""
    frame = sys._getframe(2)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - there is no other way
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
