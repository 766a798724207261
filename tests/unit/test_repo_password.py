"""Passwords and reset links, through both facades."""

from __future__ import annotations

from datetime import timedelta

import pytest

from authx_adapters.clock import ManualClock
from authx_core import (
    Event,
    InvalidPassword,
    InvalidToken,
    InvalidValue,
    NewUser,
    PasswordChanged,
    PasswordResetRequested,
    Secret,
    SocialIdentity,
    User,
    UserNotFound,
    UsersRepo,
)

TOKEN, OTHER = "Yp3vQ0s8kXo5cWb1Zr7TgLd2nJf4hUe6AaMiKtBxRwE", "another horse battery"


async def test_a_user_with_only_a_social_identity_can_set_a_first_password(users: UsersRepo) -> None:
    bob = await users.create(NewUser(identities=(SocialIdentity("github", "7"),), username="bob"))
    assert await users.get_password_status(bob.id) == "set"
    await users.set_password(bob.id, OTHER)
    assert await users.get_password_status(bob.id) == "change"


async def test_the_password_that_was_set_logs_in(users: UsersRepo, ana: User, published: list[Event]) -> None:
    after = await users.set_password(ana.id, Secret(OTHER))
    assert published == [PasswordChanged(user=after, how="set")]
    assert await users.authenticate("ana", OTHER) == after
    assert await users.authenticate("ana", "correct horse battery") is None


async def test_a_refused_password_changes_nothing(users: UsersRepo, ana: User, published: list[Event]) -> None:
    with pytest.raises(InvalidPassword) as caught:
        await users.set_password(ana.id, "password")
    assert [problem.code for problem in caught.value.problems] == ["too_short", "common"]
    assert await users.get(ana.id) == ana
    assert published == []


async def test_a_password_must_not_be_the_user_s_address(users: UsersRepo, ana: User) -> None:
    with pytest.raises(InvalidPassword, match="must not be the address"):
        await users.set_password(ana.id, "ANA@example.com")


async def test_a_reset_link_works_once_and_looking_it_up_does_not_spend_it(
    users: UsersRepo, ana: User, published: list[Event]
) -> None:
    await users.set_password_reset_token(ana.id, TOKEN)
    assert published == [PasswordResetRequested(user=ana, token=Secret(TOKEN))]
    for _ in range(3):
        assert await users.get_id_for_password_reset(TOKEN) == ana.id
    after = await users.reset_password(TOKEN, OTHER)
    assert after.confirmed
    assert await users.get_id_for_password_reset(TOKEN) is None
    with pytest.raises(InvalidToken):
        await users.reset_password(TOKEN, OTHER)


async def test_a_link_whose_new_password_is_refused_still_works(users: UsersRepo, ana: User) -> None:
    await users.set_password_reset_token(ana.id, TOKEN)
    with pytest.raises(InvalidPassword):
        await users.reset_password(TOKEN, "short")
    await users.reset_password(TOKEN, OTHER)
    assert await users.authenticate("ana", OTHER) is not None


async def test_a_reset_link_is_void_after_a_change_of_address(users: UsersRepo, ana: User) -> None:
    """The old mailbox may belong to a stranger by now."""
    await users.set_password_reset_token(ana.id, TOKEN)
    await users.update(ana.id, {"email": "anna@example.com"})
    with pytest.raises(InvalidToken):
        await users.reset_password(TOKEN, OTHER)


async def test_a_user_without_an_address_can_reset_too(users: UsersRepo) -> None:
    bob = await users.create({"username": "bob"})
    await users.set_password_reset_token(bob.id, TOKEN)
    assert not (await users.reset_password(TOKEN, OTHER)).confirmed


@pytest.mark.parametrize("token", ["", "short", "é" * 2000, "t" * 42 + "\0", "t" * 42 + "\ud800"])
async def test_a_token_that_could_be_guessed_is_refused(users: UsersRepo, ana: User, token: str) -> None:
    with pytest.raises(InvalidValue):
        await users.set_password_reset_token(ana.id, token)
    assert await users.get_id_for_password_reset(token) is None


async def test_an_expired_link_stays_expired_when_the_clock_steps_back(
    users: UsersRepo, ana: User, clock: ManualClock
) -> None:
    await users.set_password_reset_token(ana.id, TOKEN)
    clock.advance(timedelta(hours=1) - timedelta(milliseconds=1))
    assert await users.get_id_for_password_reset(TOKEN) == ana.id
    clock.advance(timedelta(milliseconds=1))
    assert await users.get_id_for_password_reset(TOKEN) is None
    clock.advance(timedelta(minutes=-30))
    assert await users.get_id_for_password_reset(TOKEN) is None
    with pytest.raises(InvalidToken):
        await users.reset_password(TOKEN, OTHER)


async def test_an_unused_link_stays_expired_when_the_clock_steps_back(
    users: UsersRepo, ana: User, clock: ManualClock
) -> None:
    await users.set_password_reset_token(ana.id, TOKEN)
    clock.advance(timedelta(hours=2))
    await users.is_password_reset_available("another")
    clock.advance(timedelta(hours=-2))
    assert await users.get_id_for_password_reset(TOKEN) is None


async def test_resets_are_limited_for_each_user(users: UsersRepo, ana: User, clock: ManualClock) -> None:
    assert [await users.is_password_reset_available(ana.id) for _ in range(3)] == [True, True, False]
    assert await users.is_password_reset_available("another")
    clock.advance(timedelta(minutes=30))
    assert await users.is_password_reset_available(ana.id)


async def test_setting_the_password_of_an_unknown_user_is_user_not_found(users: UsersRepo) -> None:
    for call in (
        users.get_password_status("0"),
        users.set_password("0", OTHER),
        users.set_password_reset_token("0", TOKEN),
    ):
        with pytest.raises(UserNotFound):
            await call
