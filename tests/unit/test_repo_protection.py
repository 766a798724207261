"""Rate limits and logging in, through both facades."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from authx_adapters.clock import ManualClock
from authx_core import (
    BruteForceDetected,
    Event,
    InvalidValue,
    LoggedIn,
    LoginFailed,
    Policy,
    Secret,
    TooManyAttempts,
    User,
    UsersRepo,
    UserStore,
)

PASSWORD, WRONG = "correct horse battery", "wrong horse battery"


async def limited(users: UsersRepo, key: str, maximum: Any, window: Any) -> bool:
    return await users._check_timeout_and_incr(key, maximum, window)


async def test_a_limit_admits_its_number_in_each_window(users: UsersRepo, clock: ManualClock) -> None:
    assert [await limited(users, "key", 2, 60) for _ in range(3)] == [True, True, False]
    clock.advance(59)
    assert not await limited(users, "key", 2, timedelta(minutes=1))
    clock.advance(1)
    assert await limited(users, "key", 2, 60.0)


async def test_a_window_that_has_ended_stays_ended_when_the_clock_steps_back(
    users: UsersRepo, clock: ManualClock
) -> None:
    assert not await limited(users, "key", 0, 60)
    clock.advance(60)
    assert await limited(users, "key", 1, 60)
    clock.advance(-30)
    assert not await limited(users, "key", 1, 60)


@pytest.mark.parametrize("maximum", [None, True, 1.0, "1"])
async def test_a_limit_is_a_whole_number(users: UsersRepo, maximum: object) -> None:
    with pytest.raises(InvalidValue):
        await limited(users, "key", maximum, 60)


@pytest.mark.parametrize(
    "window", [0, -1, True, None, "60", float("nan"), float("inf"), 1e300, timedelta(0), timedelta(days=3651)]
)
async def test_a_window_is_a_millisecond_to_ten_years(users: UsersRepo, window: object) -> None:
    with pytest.raises(InvalidValue):
        await limited(users, "key", 1, window)


@pytest.mark.usefixtures("ana")
async def test_a_login_is_locked_over_its_limit_and_published_once(users: UsersRepo, published: list[Event]) -> None:
    spellings = ["ana", "ANA", "Ａｎａ", " ana "]
    attempts = [await users.is_bruteforce(None, spellings[number % 4]) for number in range(13)]
    assert attempts == [False] * 10 + [True] * 3
    assert published == [BruteForceDetected(ip=None, login="ana")]


async def test_an_invalid_login_is_counted_but_not_published(users: UsersRepo, published: list[Event]) -> None:
    for login in ("my passw0rd, typed here", None):
        for _ in range(11):
            await users.is_bruteforce(None, login)  # type: ignore[arg-type]  # wrong on purpose
    assert published == [BruteForceDetected(ip=None, login=None)] * 2


async def test_addresses_of_one_ipv6_network_share_a_limit(users: UsersRepo, published: list[Event]) -> None:
    attempts = [await users.is_bruteforce(f"2001:db8::{number:x}", f"user{number}") for number in range(32)]
    assert attempts == [False] * 30 + [True] * 2
    assert published == [BruteForceDetected(ip="2001:db8::1e", login=None)]
    assert not await users.is_bruteforce("2001:db8:0:1::1", "user")


async def test_attempts_do_not_prolong_a_lock(users: UsersRepo, clock: ManualClock) -> None:
    for _ in range(11):
        await users.is_bruteforce(None, "ana")
    clock.advance(timedelta(minutes=14))
    assert await users.is_bruteforce(None, "ana")
    clock.advance(timedelta(minutes=1))
    assert not await users.is_bruteforce(None, "ana")


@pytest.mark.parametrize(
    "login", ["ana", "ANA", " ana\u00a0", "ana@example.com", "Ana@EXAMPLE.com", "\tana@example.com "]
)
async def test_a_user_logs_in_with_username_or_address(
    users: UsersRepo, ana: User, published: list[Event], login: str
) -> None:
    assert await users.authenticate(login, PASSWORD, ip="192.0.2.1") == ana
    assert published == [LoggedIn(user=ana, ip="192.0.2.1")]


async def test_a_failure_publishes_the_user_and_the_reason_but_not_the_login_as_typed(
    users: UsersRepo, ana: User, published: list[Event]
) -> None:
    assert await users.authenticate("ana", WRONG) is None
    assert await users.authenticate("bob", WRONG) is None
    assert await users.authenticate("bob", "x" * 2000) is None
    await users.blacklist(ana.id)
    assert await users.authenticate("ana", PASSWORD) is None
    assert await users.authenticate("ana", "\0") is None
    assert await users.authenticate("ana", WRONG) is None
    assert [event for event in published if isinstance(event, LoginFailed)] == [
        LoginFailed(user_id=ana.id, ip=None, reason="password"),
        LoginFailed(user_id=None, ip=None, reason="unknown"),
        LoginFailed(user_id=None, ip=None, reason="unknown"),
        LoginFailed(user_id=ana.id, ip=None, reason="blacklisted"),
        LoginFailed(user_id=ana.id, ip=None, reason="password"),
        LoginFailed(user_id=ana.id, ip=None, reason="password"),
    ]


@pytest.mark.usefixtures("ana")
async def test_too_many_attempts_lock_out_even_the_right_password(users: UsersRepo) -> None:
    for _ in range(10):
        assert await users.authenticate("ana", WRONG) is None
    with pytest.raises(TooManyAttempts):
        await users.authenticate("ana", PASSWORD)


@pytest.mark.usefixtures("ana")
async def test_a_success_resets_the_count(users: UsersRepo) -> None:
    for _ in range(3):
        for _ in range(9):
            assert await users.authenticate("ana", WRONG) is None
        assert await users.authenticate("ana", PASSWORD) is not None


async def test_a_hash_of_an_unknown_scheme_is_logged_and_matches_no_password(
    users: UsersRepo, store: UserStore, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    planted = User(id="7", username="bob", username_key="bob", password_hash=Secret("$canary$"), created_at=clock.now())
    bob = await store.create(planted)
    assert await users.authenticate("bob", PASSWORD) is None
    assert bob.id in caplog.text
    assert "canary" not in caplog.text


async def test_a_user_without_a_password_cannot_log_in_with_an_empty_one(users: UsersRepo) -> None:
    await users.create({"username": "bob"})
    assert await users.authenticate("bob", "") is None


async def test_the_policy_sets_the_limits(make_users: Any) -> None:
    users: UsersRepo = make_users(policy=Policy(login_max=1, login_client_max=1))
    assert [await users.is_bruteforce(None, "ana") for _ in range(2)] == [False, True]
    assert [await users.is_bruteforce("::1", f"user{number}") for number in range(2)] == [False, True]


@pytest.mark.parametrize("key", ["reset", "confirmation", "login:client", "login:name"])
async def test_limits_of_the_application_share_no_counter_with_the_core(users: UsersRepo, ana: User, key: str) -> None:
    for _ in range(50):
        await users._check_timeout_and_incr(f"{key}:{ana.id}", 1, 60)
        await users._check_timeout_and_incr(f"app:{key}:{ana.id}", 1, 60)
    assert await users.is_password_reset_available(ana.id)
    assert await users.is_email_confirmation_available(ana.id)
    assert not await users.is_bruteforce("192.0.2.7", "ana")
