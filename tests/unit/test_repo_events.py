"""The events that each operation publishes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeAlias

import attrs
import pytest

from authx_adapters.clock import ManualClock
from authx_core import (
    BruteForceDetected,
    Event,
    InvalidToken,
    LoginFailed,
    NewUser,
    PasswordChanged,
    Policy,
    TokenRefused,
    TooManyAttempts,
    User,
    UsersRepo,
    UserUpdated,
)

TOKEN, OTHER = "Yp3vQ0s8kXo5cWb1Zr7TgLd2nJf4hUe6AaMiKtBxRwE", "another horse battery"
Do: TypeAlias = Callable[[UsersRepo, User], Awaitable[Any]]


@pytest.mark.parametrize(
    ("given", "field"),
    [({"email": "new@example.com"}, "email"), ({"username": "anna"}, "username"), ({"extra": {"a": [1]}}, "extra")],
)
async def test_an_update_publishes_the_user_before_it(
    users: UsersRepo, ana: User, published: list[Event], given: dict[str, Any], field: str
) -> None:
    after = await users.update(ana.id, given)
    event = published[0]
    assert isinstance(event, UserUpdated)
    assert (event.user, event.before, event.fields) == (after.view(), ana.view(), frozenset({field}))


async def test_the_former_mailbox_can_be_warned(users: UsersRepo, ana: User, published: list[Event]) -> None:
    await users.update(ana.id, {"email": "thief@example.com"})
    assert [event.before.email for event in published if isinstance(event, UserUpdated)] == ["Ana@Example.com"]


async def test_a_new_password_is_published_with_its_origin(users: UsersRepo, ana: User, published: list[Event]) -> None:
    await users.set_password(ana.id, OTHER)
    await users.set_password_reset_token(ana.id, TOKEN)
    await users.reset_password(TOKEN, "yet another horse battery")
    assert [event.how for event in published if isinstance(event, PasswordChanged)] == ["set", "reset"]


async def test_a_callback_cannot_change_the_caller_s_result(make_users: Callable[..., UsersRepo]) -> None:
    def meddle(event: Any) -> None:
        event.user.extra["admin"] = True

    users = make_users(callbacks=[meddle])
    user = await users.create({"username": "bob", "extra": {"a": []}})
    assert user.extra == {"a": []}
    assert await users.get(user.id) == user


# Links that cannot be used


@pytest.mark.parametrize("end", ["reinstate", "toggle_blacklist"])
async def test_a_reset_link_of_a_blacklisted_user_is_not_published_and_never_works(
    users: UsersRepo, ana: User, published: list[Event], end: str
) -> None:
    await users.blacklist(ana.id)
    published.clear()
    assert await users.set_password_reset_token(ana.id, TOKEN) is None  # type: ignore[func-returns-value]  # it returns None for every user
    assert published == []
    assert await users.get_id_for_password_reset(TOKEN) is None
    await getattr(users, end)(ana.id)
    assert await users.get_id_for_password_reset(TOKEN) is None
    with pytest.raises(InvalidToken):
        await users.reset_password(TOKEN, OTHER)
    await users.set_password_reset_token(ana.id, TOKEN)
    assert await users.get_id_for_password_reset(TOKEN) == ana.id


async def test_a_confirmation_link_that_was_requested_while_blacklisted_never_works(
    users: UsersRepo, ana: User, published: list[Event]
) -> None:
    await users.blacklist(ana.id)
    published.clear()
    token = await users.request_email_confirmation("ana@example.com")
    assert published == []
    await users.reinstate(ana.id)
    assert not await users.confirm_email(token)


async def test_a_reset_link_without_an_address_is_not_published(users: UsersRepo, published: list[Event]) -> None:
    bob = await users.create({"username": "bob"})
    published.clear()
    await users.set_password_reset_token(bob.id, TOKEN)
    assert published == []
    assert await users.get_id_for_password_reset(TOKEN) == bob.id


# Events for monitoring


async def blacklisted(users: UsersRepo, ana: User) -> None:
    await users.blacklist(ana.id)


async def deleted(users: UsersRepo, ana: User) -> None:
    await users.delete(ana.id)


async def readdressed(users: UsersRepo, ana: User) -> None:
    await users.update(ana.id, {"email": "new@example.com"})


VOIDED_BY: dict[str, Do] = {"blacklisted": blacklisted, "deleted": deleted, "readdressed": readdressed}


async def try_reset(users: UsersRepo, token: str) -> None:
    with pytest.raises(InvalidToken):
        await users.reset_password(token, OTHER)


async def look_up(users: UsersRepo, token: str) -> None:
    assert await users.get_id_for_password_reset(token) is None


async def try_confirm(users: UsersRepo, token: str) -> None:
    assert not await users.confirm_email(token)


TRIES: dict[str, Any] = {"reset": try_reset, "look up": look_up, "confirm": try_confirm}


@pytest.mark.parametrize("attempt", TRIES)
async def test_a_wrong_token_is_published(users: UsersRepo, published: list[Event], attempt: str) -> None:
    for wrong in ("w" * 43, "short", "nul\0" * 10, "\ud800" * 30):
        published.clear()
        await TRIES[attempt](users, wrong)
        assert published == [TokenRefused(purpose="confirm" if attempt == "confirm" else "reset", user_id=None)]
        assert wrong not in repr(published)


@pytest.mark.parametrize("end", VOIDED_BY)
@pytest.mark.parametrize("attempt", TRIES)
async def test_a_void_link_is_published_with_its_user(
    users: UsersRepo, ana: User, published: list[Event], attempt: str, end: str
) -> None:
    await users.set_password_reset_token(ana.id, TOKEN)
    confirm = await users.request_email_confirmation("ana@example.com")
    await VOIDED_BY[end](users, ana)
    published.clear()
    await TRIES[attempt](users, confirm if attempt == "confirm" else TOKEN)
    assert published == [TokenRefused(purpose="confirm" if attempt == "confirm" else "reset", user_id=ana.id)]


async def test_a_link_that_works_is_not_published_as_refused(
    users: UsersRepo, ana: User, published: list[Event]
) -> None:
    token = await users.request_email_confirmation("ana@example.com")
    await users.confirm_email(token)
    await users.confirm_email(token)
    await users.set_password_reset_token(ana.id, TOKEN)
    await users.get_id_for_password_reset(TOKEN)
    await users.reset_password(TOKEN, OTHER)
    assert not any(isinstance(event, TokenRefused) for event in published)


async def test_each_refused_attempt_is_published(
    make_users: Callable[..., UsersRepo], published: list[Event], clock: ManualClock
) -> None:
    users = make_users(policy=Policy(login_max=2))
    bob = await users.create({"username": "bob", "password": "correct horse battery"})
    published.clear()
    for _ in range(2):
        await users.authenticate("bob", "wrong horse battery!", ip="192.0.2.7")
    for _ in range(3):
        with pytest.raises(TooManyAttempts):
            await users.authenticate("bob", "wrong horse battery!", ip="192.0.2.7")
    locked = LoginFailed(user_id=None, ip="192.0.2.7", reason="locked")
    wrong = LoginFailed(user_id=bob.id, ip="192.0.2.7", reason="password")
    assert published == [wrong, wrong, BruteForceDetected(ip="192.0.2.7", login="bob"), locked, locked, locked]
    clock.advance(timedelta(minutes=15))
    assert await users.authenticate("bob", "correct horse battery") is not None


# Untrusted text in a log


@pytest.mark.parametrize(
    "text", ["evil\nINFO admin logged in", "a\r\nb", "bi\u202edi", "\x1b[31m", "sep\u2028", "x" * 10**6]
)
async def test_untrusted_text_stays_short_and_on_one_line(
    users: UsersRepo, published: list[Event], caplog: pytest.LogCaptureFixture, text: str
) -> None:
    for _ in range(2):
        assert await users.authenticate(text, "correct horse battery", ip=text) is None
    with pytest.raises(Exception, match="is not a field of a user") as caught:
        await users.create({"username": "bob", text: 1})
    with pytest.raises(Exception, match="no user") as missing:
        await users.kick(text)
    for shown in (
        str(caught.value),
        str(missing.value),
        caplog.text,
        *(str(attrs.astuple(event)) for event in published),
    ):
        assert shown.isprintable()
        assert len(shown) < 500


async def test_a_failed_callback_is_logged_on_one_line(
    make_users: Callable[..., UsersRepo], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: Event) -> None:
        raise LookupError(event.name)

    users = make_users(callbacks=[fail])
    await users.create(NewUser(username="bob"))
    assert [record.getMessage().count("\n") for record in caplog.records] == [0]
