"""Operations for administrators, through both facades."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from authx_adapters.clock import ManualClock
from authx_core import (
    BlackoutLifted,
    BlackoutSet,
    Event,
    InvalidQuery,
    InvalidUser,
    InvalidValue,
    NewUser,
    PermissionsChanged,
    User,
    UserBlacklisted,
    UserKicked,
    UserNotFound,
    UserReinstated,
    UsersRepo,
)


async def test_the_blacklist_is_read_in_pages(users: UsersRepo, clock: ManualClock) -> None:
    made = []
    for number in range(5):
        clock.advance(1)
        made.append(await users.create(NewUser(username=f"user{number}", active=number == 1)))
    first = await users.get_blacklist(size=2)
    assert first == [made[0], made[2]]
    assert await users.get_blacklist(after=first[-1].id) == made[3:]
    with pytest.raises(InvalidQuery):
        await users.get_blacklist(size=0)


async def test_blacklisting_or_reinstating_twice_changes_nothing(
    users: UsersRepo, ana: User, published: list[Event]
) -> None:
    out = await users.blacklist(ana.id)
    assert await users.blacklist(ana.id) == out
    back = await users.reinstate(ana.id)
    assert await users.reinstate(ana.id) == back
    assert (out.active, back.active) == (False, True)
    assert published == [UserBlacklisted(user=out), UserReinstated(user=back)]


async def test_a_toggle_returns_the_new_state(users: UsersRepo, ana: User, published: list[Event]) -> None:
    assert [await users.toggle_blacklist(ana.id), await users.toggle_blacklist(ana.id)] == [True, False]
    assert [event.name for event in published] == ["user_blacklisted", "user_reinstated"]


async def test_every_kick_raises_the_epoch(users: UsersRepo, ana: User, published: list[Event]) -> None:
    after = await users.kick(ana.id)
    assert after.epoch == ana.epoch + 1
    assert published == [UserKicked(user=after)]
    assert (await users.kick(ana.id)).epoch == ana.epoch + 2


async def test_a_blackout_moves_only_forward_until_it_is_lifted(
    users: UsersRepo, published: list[Event], clock: ManualClock
) -> None:
    now = clock.now()
    assert await users.get_blackout() is None
    assert await users.set_blackout(now) == now
    assert await users.set_blackout(now - timedelta(seconds=1)) == now
    assert await users.set_blackout(now) == now
    later = (now + timedelta(microseconds=1)).astimezone(timezone(timedelta(hours=3)))
    assert await users.set_blackout(later) == later
    assert await users.get_blackout() == later
    await users.delete_blackout()
    await users.delete_blackout()
    assert await users.get_blackout() is None
    assert published == [BlackoutSet(cutoff=now), BlackoutSet(cutoff=later), BlackoutLifted()]


@pytest.mark.parametrize("ts", [None, 0, "now", datetime(2026, 1, 1)])  # noqa: DTZ001 - naive on purpose
async def test_a_cut_off_is_an_aware_instant(users: UsersRepo, ts: Any) -> None:
    with pytest.raises(InvalidValue):
        await users.set_blackout(ts)
    assert await users.get_blackout() is None


async def test_permissions_are_replaced_added_and_removed(users: UsersRepo, ana: User, published: list[Event]) -> None:
    assert (await users.set_permissions(ana.id, ["a", "b"])).permissions == {"a", "b"}
    assert (await users.add_permissions(ana.id, {"c"})).permissions == {"a", "b", "c"}
    last = await users.remove_permissions(ana.id, ("a", "x"))
    assert last.permissions == {"b", "c"}
    assert published[-1] == PermissionsChanged(user=last, old=frozenset("abc"), new=frozenset("bc"))
    assert await users.remove_permissions(ana.id, ["x"]) == last
    assert len(published) == 3


async def test_permissions_are_bounded(users: UsersRepo, ana: User) -> None:
    with pytest.raises(InvalidUser):
        await users.add_permissions(ana.id, map(str, range(1000)))
    assert await users.get(ana.id) == ana


@pytest.mark.parametrize(
    "call",
    [
        lambda users: users.toggle_blacklist("0"),
        lambda users: users.blacklist("0"),
        lambda users: users.reinstate("0"),
        lambda users: users.kick("0"),
        lambda users: users.set_permissions("0", []),
        lambda users: users.add_permissions("0", []),
        lambda users: users.remove_permissions("0", []),
    ],
)
async def test_managing_an_unknown_user_is_user_not_found(
    users: UsersRepo, published: list[Event], call: Callable[[UsersRepo], Awaitable[Any]]
) -> None:
    with pytest.raises(UserNotFound):
        await call(users)
    assert published == []
