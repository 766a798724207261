"""The effect of each operation on version, epoch, reset links and confirmation links."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeAlias

import attrs
import pytest
from passlib.context import CryptContext

from authx_adapters.clock import ManualClock
from authx_core import NewUser, User, UsersRepo

RESET, CONFIRM, SPENT = (f"{kind}-Yp3vQ0s8kXo5cWb1Zr7TgLd2nJf4" for kind in ("reset", "confirm", "spent"))
Do: TypeAlias = Callable[[UsersRepo, User], Awaitable[Any]]
OUTDATED = CryptContext(["argon2"], argon2__time_cost=1, argon2__memory_cost=32, argon2__parallelism=1)
PASSWORD, OTHER = "correct horse battery", "another horse battery"


@attrs.frozen
class Row:
    operation: str
    do: Do
    version: int
    epoch: int
    reset: bool
    confirm: bool


async def reset(users: UsersRepo, ana: User) -> None:
    await users.set_password_reset_token(ana.id, SPENT)
    await users.reset_password(SPENT, OTHER)


async def reinstate(users: UsersRepo, ana: User) -> None:
    await users.blacklist(ana.id)
    await users.reinstate(ana.id)


async def toggle_twice(users: UsersRepo, ana: User) -> None:
    assert await users.toggle_blacklist(ana.id)
    assert not await users.toggle_blacklist(ana.id)


ROWS = [
    Row("update", lambda users, ana: users.update(ana.id, {"extra": {"a": 1}}), 1, 0, True, True),
    Row(
        "update of the address",
        lambda users, ana: users.update(ana.id, {"email": "anna@example.com"}),
        1,
        0,
        False,
        False,
    ),
    Row(
        "update to another spelling",
        lambda users, ana: users.update(ana.id, {"email": "ANA@example.com"}),
        1,
        0,
        False,
        False,
    ),
    Row("change_username", lambda users, ana: users.change_username(ana.id, "anna"), 1, 0, True, True),
    Row("update_last_login", lambda users, ana: users.update_last_login(ana.id), 1, 0, True, True),
    Row("rehash at login", lambda users, _: users.authenticate("ana", PASSWORD), 1, 0, True, True),
    Row("set_password", lambda users, ana: users.set_password(ana.id, OTHER), 1, 1, False, True),
    Row("reset_password", reset, 1, 1, False, True),
    Row("set_permissions", lambda users, ana: users.set_permissions(ana.id, ["write"]), 1, 1, False, True),
    Row("add_permissions", lambda users, ana: users.add_permissions(ana.id, ["write"]), 1, 1, False, True),
    Row("remove_permissions", lambda users, ana: users.remove_permissions(ana.id, ["read"]), 1, 1, False, True),
    Row("set_permissions to the same", lambda users, ana: users.set_permissions(ana.id, ["read"]), 0, 0, True, True),
    Row("kick", lambda users, ana: users.kick(ana.id), 1, 1, False, True),
    Row("blacklist", lambda users, ana: users.blacklist(ana.id), 1, 1, False, False),
    Row("toggle_blacklist", lambda users, ana: users.toggle_blacklist(ana.id), 1, 1, False, False),
    Row("blacklist and reinstate", reinstate, 2, 1, False, True),
    Row("two toggles", toggle_twice, 2, 1, False, True),
    Row("reinstate of an active user", lambda users, ana: users.reinstate(ana.id), 0, 0, True, True),
    Row("set_blackout", lambda users, ana: users.set_blackout(ana.created_at), 0, 0, True, True),
    Row("delete_blackout", lambda users, _: users.delete_blackout(), 0, 0, True, True),
    Row("delete", lambda users, ana: users.delete(ana.id), 0, 0, False, False),
]


@pytest.fixture
def new() -> NewUser:
    """A user whose hash has outdated parameters."""
    return NewUser(
        email="ana@example.com", username="ana", password_hash=OUTDATED.hash(PASSWORD), permissions=frozenset({"read"})
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.operation)
async def test_an_operation_has_the_effects_of_its_row(users: UsersRepo, new: NewUser, row: Row) -> None:
    ana = await users.create(new)
    await users.set_password_reset_token(ana.id, RESET)
    await users.request_email_confirmation("ana@example.com", CONFIRM)
    before = await users.get(ana.id)
    assert before == ana
    await row.do(users, ana)
    after = await users.get(ana.id)
    if row.operation == "delete":
        assert after is None
    else:
        assert after is not None
        assert (after.version - before.version, after.epoch - before.epoch) == (row.version, row.epoch)
    assert await users.get_id_for_password_reset(RESET) == (ana.id if row.reset else None)
    assert await users.confirm_email(CONFIRM) is row.confirm


async def test_a_confirmation_link_is_refused_only_while_inactive(users: UsersRepo, new: NewUser) -> None:
    ana = await users.create(new)
    await users.request_email_confirmation("ana@example.com", CONFIRM)
    await users.blacklist(ana.id)
    assert not await users.confirm_email(CONFIRM)
    await users.reinstate(ana.id)
    assert await users.confirm_email(CONFIRM)


async def test_a_new_user_with_the_same_names_does_not_inherit_links(
    users: UsersRepo, new: NewUser, clock: ManualClock
) -> None:
    ana = await users.create(new)
    await users.set_password_reset_token(ana.id, RESET)
    await users.request_email_confirmation("ana@example.com", CONFIRM)
    await users.delete(ana.id)
    clock.advance(timedelta(seconds=1))
    await users.create(new)
    assert await users.get_id_for_password_reset(RESET) is None
    assert not await users.confirm_email(CONFIRM)
