"""Run each test of the facade with both kinds of caller, on several engines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest
from passlib.context import CryptContext
from sqlalchemy import create_engine
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import create_async_engine

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_adapters.passlib import PasslibHasher
from authx_adapters.sqlalchemy import SQLAlchemyUserStore
from authx_adapters.threaded import Threaded
from authx_core import BlockingUsersRepo, Event, NewUser, User, UsersRepo, UserStore, run

ENGINES = ("memory", "threaded-sqlite", "aiosqlite", "blocking-memory", "blocking-sqlite")

MakeUsers: TypeAlias = Callable[..., UsersRepo]


class Awaited:
    """A `BlockingUsersRepo` whose operations run in threads and are awaited; other attributes are its `UsersRepo`'s."""

    def __init__(self, blocking: BlockingUsersRepo) -> None:
        self._blocking = blocking

    def __getattr__(self, name: str) -> Any:
        if not hasattr(BlockingUsersRepo, name):
            return getattr(self._blocking.users, name)
        operation = getattr(self._blocking, name)

        async def call(*args: object, **options: object) -> object:
            return await asyncio.get_running_loop().run_in_executor(None, lambda: operation(*args, **options))

        return call


@pytest.fixture(scope="session")
def hasher() -> PasslibHasher:
    """A real hasher that costs next to nothing."""
    cheap = {"argon2__time_cost": 1, "argon2__memory_cost": 64, "argon2__parallelism": 1}
    return PasslibHasher(CryptContext(["argon2"], **cheap))


@pytest.fixture
def published() -> list[Event]:
    """The events that the callbacks received."""
    return []


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(engine: str, tmp_path: Path, runner: asyncio.Runner) -> Iterator[UserStore]:
    with ExitStack() as stack:
        if "memory" in engine:
            yield MemoryUserStore()
        elif engine == "aiosqlite":
            connections = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/users.db")
            listen(connections.sync_engine, "connect", _skip_fsync)
            stack.callback(lambda: runner.run(connections.dispose()))
            users = SQLAlchemyUserStore(connections)
            runner.run(users.create_schema())
            yield users
        else:
            blocking = create_engine(f"sqlite:///{tmp_path}/users.db")
            listen(blocking, "connect", _skip_fsync)
            stack.callback(blocking.dispose)
            users = SQLAlchemyUserStore(blocking)
            run(users.create_schema())
            yield Threaded(users, timeout=60) if engine == "threaded-sqlite" else users


@pytest.fixture
def make_users(
    engine: str, store: UserStore, clock: ManualClock, hasher: PasslibHasher, published: list[Event]
) -> MakeUsers:
    """Build a facade over the engine, for its kind of caller; ``kind`` is a subclass of `UsersRepo`."""

    def make(kind: type[UsersRepo] = UsersRepo, **options: Any) -> UsersRepo:
        given = {"callbacks": [published.append], "clock": clock, "hasher": hasher, **options}
        users = kind(store, given.pop("cache", None) or MemoryCache(clock), **given)
        return cast("UsersRepo", Awaited(BlockingUsersRepo(users))) if "blocking" in engine else users

    return make


@pytest.fixture
def users(make_users: MakeUsers) -> UsersRepo:
    return make_users()


@pytest.fixture
def ana(users: UsersRepo, published: list[Event], runner: asyncio.Runner) -> User:
    """A user with an address, a username and a password; `published` is empty again."""
    new = NewUser(
        email="Ana@Example.com", username="Ana", password="correct horse battery", permissions=frozenset({"read"})
    )
    created = runner.run(_done(users.create(new)))
    published.clear()
    return created


def _skip_fsync(connection: Any, _: object) -> None:
    """Do not wait for the disk: no test cuts the power."""
    connection.execute("PRAGMA synchronous = OFF")


async def _done(awaitable: Awaitable[User]) -> User:
    return await awaitable
