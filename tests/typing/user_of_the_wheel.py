"""What a user of the installed wheel writes; mypy strict and pyright strict check it, nothing runs it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import assert_type

from authx_core import BlockingUsersRepo, NewUser, User, UsersRepo, blocking, run


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
