"""Confirming e-mail addresses, through both facades."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache
from authx_core import EmailConfirmationRequested, EmailConfirmed, Event, InvalidValue, Secret, User, UsersRepo


async def test_a_link_confirms_and_confirming_again_changes_nothing(
    users: UsersRepo, ana: User, published: list[Event]
) -> None:
    token = await users.request_email_confirmation("ANA@example.com")
    assert published == [EmailConfirmationRequested(user=ana, token=Secret(token))]
    assert len(token) == 43
    assert await users.confirm_email(token)
    confirmed = await users.get(ana.id)
    assert confirmed is not None
    assert (confirmed.confirmed, published[1:]) == (True, [EmailConfirmed(user=confirmed)])
    assert await users.confirm_email(token)
    assert await users.get(ana.id) == confirmed
    assert len(published) == 2


async def test_a_given_token_is_used(users: UsersRepo, ana: User) -> None:
    token = "Yp3vQ0s8kXo5cWb1Zr7TgL"
    assert await users.request_email_confirmation(str(ana.email), token) == token
    assert await users.confirm_email(Secret(token))


@pytest.mark.parametrize("token", ["", "Yp3vQ0s8kXo5cWb1Zr7Tg", "t" * 22, "t" * 1025])
async def test_a_token_that_could_be_guessed_is_refused(users: UsersRepo, ana: User, token: str) -> None:
    with pytest.raises(InvalidValue):
        await users.request_email_confirmation(str(ana.email), token)


@pytest.mark.parametrize("address", ["nobody@example.com", "no address"])
async def test_an_unknown_address_gets_the_same_answer_and_no_event(
    users: UsersRepo, published: list[Event], address: str
) -> None:
    token = await users.request_email_confirmation(address)
    assert len(token) == 43
    assert published == []
    assert not await users.confirm_email(token)


async def test_a_blacklisted_user_is_sent_no_link(users: UsersRepo, ana: User, published: list[Event]) -> None:
    await users.blacklist(ana.id)
    published.clear()
    assert await users.request_email_confirmation("ana@example.com")
    assert published == []


async def test_a_link_expires_after_a_day_and_stays_expired_when_the_clock_steps_back(
    users: UsersRepo, ana: User, clock: ManualClock
) -> None:
    token = await users.request_email_confirmation(str(ana.email))
    clock.advance(timedelta(days=1))
    assert not await users.confirm_email(token)
    clock.advance(timedelta(days=-1))
    assert not await users.confirm_email(token)


async def test_requests_are_limited_for_each_user(users: UsersRepo, ana: User, clock: ManualClock) -> None:
    assert [await users.is_email_confirmation_available(ana.id) for _ in range(3)] == [True, True, False]
    clock.advance(timedelta(minutes=30))
    assert await users.is_email_confirmation_available(ana.id)


async def test_an_unknown_token_confirms_no_user(users: UsersRepo) -> None:
    assert not await users.confirm_email("Yp3vQ0s8kXo5cWb1Zr7TgLd2nJf4hUe6AaMiKtBxRwE")


async def test_a_flood_of_links_for_one_user_voids_no_link_of_another(
    make_users: Callable[..., UsersRepo], clock: ManualClock
) -> None:
    users = make_users(cache=MemoryCache(clock, size=50))
    await users.create({"email": "ana@example.com"})
    await users.create({"email": "eve@example.com"})
    token = await users.request_email_confirmation("ana@example.com")
    for _ in range(100):
        await users.request_email_confirmation("eve@example.com")
        await users.request_email_confirmation("nobody@example.com")
        clock.advance(0.002)
    assert await users.confirm_email(token)


async def test_only_the_last_eight_links_of_a_user_work(users: UsersRepo, ana: User) -> None:
    tokens = [await users.request_email_confirmation(str(ana.email)) for _ in range(10)]
    assert [await users.confirm_email(token) for token in tokens] == [False] * 2 + [True] * 8
