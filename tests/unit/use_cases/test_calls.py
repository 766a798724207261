"""The calls that each operation makes to the store: a user is read once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_adapters.passlib import PasslibHasher
from authx_core import User, UserChanges, UserFields, UserId, UsersRepo

CONFIRM, RESET = (f"{kind}-Yp3vQ0s8kXo5cWb1Zr7TgLd2nJf4" for kind in ("confirm", "reset"))
PASSWORD, OTHER = "correct horse battery", "another horse battery"
Do: TypeAlias = Callable[[UsersRepo, UserId], Awaitable[Any]]


class Counted(MemoryUserStore):
    """A store that records its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    async def get(self, user_id: UserId, /) -> User | None:
        self.calls.append("get")
        return await super().get(user_id)

    async def get_by_username(self, username_key: str, /) -> User | None:
        self.calls.append("get_by_username")
        return await super().get_by_username(username_key)

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        self.calls.append("update")
        return await super().update(user_id, changes, expected=expected)


OPERATIONS: dict[str, tuple[Do, list[str]]] = {
    "kick": (lambda users, ana: users.kick(ana), ["update"]),
    "update_last_login": (lambda users, ana: users.update_last_login(ana), ["update"]),
    "update": (lambda users, ana: users.update(ana, {"extra": {"a": 1}}), ["get", "update"]),
    "change_username": (lambda users, ana: users.change_username(ana, "anna"), ["get", "update"]),
    "blacklist": (lambda users, ana: users.blacklist(ana), ["get", "update"]),
    "reinstate an active user": (lambda users, ana: users.reinstate(ana), ["get"]),
    "add_permissions": (lambda users, ana: users.add_permissions(ana, ["read"]), ["get", "update"]),
    "link_social": (lambda users, ana: users.link_social(ana, "github", "7"), ["get", "update"]),
    "confirm_email": (lambda users, _: users.confirm_email(CONFIRM), ["get", "update"]),
    "set_password": (lambda users, ana: users.set_password(ana, OTHER), ["get", "update"]),
    "get_id_for_password_reset": (lambda users, _: users.get_id_for_password_reset(RESET), ["get"]),
    "reset_password": (lambda users, _: users.reset_password(RESET, OTHER), ["get", "update"]),
    "authenticate": (lambda users, _: users.authenticate("ana", PASSWORD), ["get_by_username", "get"]),
}


@pytest.mark.parametrize(("do", "calls"), OPERATIONS.values(), ids=OPERATIONS)
async def test_an_operation_makes_only_the_calls_that_it_needs(
    do: Do, calls: list[str], clock: ManualClock, hasher: PasslibHasher
) -> None:
    store = Counted()
    users = UsersRepo(store, MemoryCache(clock), clock=clock, hasher=hasher)
    ana = await users.create({"email": "ana@example.com", "username": "ana", "password": PASSWORD})
    await users.request_email_confirmation("ana@example.com", CONFIRM)
    await users.set_password_reset_token(ana.id, RESET)
    store.calls.clear()
    await do(users, ana.id)
    assert store.calls == calls
