"""Code as a user of the installed wheel writes it: checked by mypy and pyright in strict mode, but never run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_type

from authx_adapters import connect, connect_blocking, open_users, open_users_blocking
from authx_adapters.threaded import Threaded, ThreadedCache, ThreadedHasher, ThreadedUserStore
from authx_core import BlockingUsersRepo, Cache, NewUser, PasswordHasher, User, UsersRepo, UserStore, blocking, run


class Accounts(UsersRepo):
    async def invite(self, email: str, *, by: User) -> User:
        return await self.create(NewUser(email=email, extra={"by": by.id}))


class BlockingAccounts(BlockingUsersRepo):
    invite = blocking(Accounts.invite)


def blocking_caller(users: BlockingUsersRepo, accounts: BlockingAccounts, body: Mapping[str, object]) -> None:
    user = users.create(body)
    assert_type(user, User)
    assert_type(users.get(user.id), User | None)
    assert_type(users.get(id=user.id), User | None)
    assert_type(users.authenticate("ana", "secret", ip="::1"), User | None)
    assert_type(users.search(username="an", p=2, size=10), tuple[list[User], int])
    assert_type(users.toggle_blacklist(user.id), bool)
    assert_type(users.get_blackout(), datetime | None)
    assert_type(accounts.invite("ana@example.com", by=user), User)
    users.get()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    users.get(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    users.search(size="10")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def asynchronous_caller(users: UsersRepo, body: Mapping[str, object]) -> None:
    assert_type(await users.create(body), User)
    assert_type(await users.reset_password("token", "password"), User)


def driver(users: UsersRepo) -> None:
    assert_type(run(users.get("1")), User | None)


async def opens() -> None:
    users = await open_users("sqlite:///users.db", cache_url="redis://localhost", timeout=2.5)
    assert_type(users, UsersRepo)
    await users.aclose()
    accounts = await open_users("sqlite:///users.db", repo=Accounts, cache_timeout=timedelta(seconds=1))
    assert_type(accounts, Accounts)
    async with connect("memory://", repo=Accounts) as others:
        assert_type(others, Accounts)
    async with connect("memory://", callbacks=[print]) as more:
        assert_type(more, UsersRepo)
    _ = connect("memory://").create  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    connect("memory://", cashe_url="memory://")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


def opens_blocking() -> None:
    users = open_users_blocking("sqlite:///users.db")
    assert_type(users, BlockingUsersRepo)
    users.close()
    with connect_blocking("memory://") as others:
        assert_type(others, BlockingUsersRepo)


def threads(store: UserStore, cache: Cache, hasher: PasswordHasher) -> None:
    assert_type(Threaded(store), ThreadedUserStore)
    assert_type(Threaded(cache, timeout=0.5), ThreadedCache)
    assert_type(Threaded(hasher, workers=2, queue=64), ThreadedHasher)
