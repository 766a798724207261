"""Hooks and callbacks receive every event, and their errors break no operation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from datetime import timedelta
from typing import Any

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_adapters.passlib import PasslibHasher
from authx_core import (
    BlockingUsersRepo,
    Event,
    Events,
    InvalidPolicy,
    PasswordResetRequested,
    Policy,
    Suspended,
    User,
    UserCreated,
    UserKicked,
    UsersRepo,
)


class Channel(Events):
    """Keeps the events that it receives."""

    def __init__(self) -> None:
        self.received: list[Event] = []

    async def publish(self, event: Event, /) -> None:
        self.received.append(event)


class Duck:
    """Receives events without inheriting the port."""

    def __init__(self) -> None:
        self.received: list[Event] = []

    async def publish(self, event: Event, /) -> None:
        self.received.append(event)


class Forever:
    """An awaitable that never completes, with or without an event loop."""

    def __await__(self) -> Generator[None]:
        while True:
            yield


class Greeting(UsersRepo):
    """Greets new users, and raises when a user is kicked."""

    greeted: list[str | None]

    async def on_user_created(self, event: UserCreated, /) -> None:
        self.greeted = [*getattr(self, "greeted", []), event.user.username]

    async def on_user_kicked(self, event: UserKicked, /) -> None:
        message = f"who kicked {event.user.username}?"
        raise LookupError(message)


async def test_plain_callbacks_async_callbacks_and_channels_all_receive_events(
    make_users: Callable[..., UsersRepo],
) -> None:
    plain: list[Event] = []
    later: list[Event] = []
    channel, duck = Channel(), Duck()

    async def receive(event: Event) -> None:
        later.append(event)

    users = make_users(callbacks=[plain.append, receive, channel, duck])
    user = await users.create({"username": "ana"})
    assert plain == later == channel.received == duck.received == [UserCreated(user=user)]


async def test_an_overridden_method_is_called_before_the_callbacks(make_users: Callable[..., UsersRepo]) -> None:
    order: list[Any] = []
    users: Any = make_users(Greeting, callbacks=[lambda _: order.append(list(users.greeted))])
    await users.create({"username": "ana"})
    assert order == [["ana"]]


async def test_an_error_in_a_callback_is_logged_and_undoes_nothing(
    make_users: Callable[..., UsersRepo], published: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    def plain(event: Event) -> None:
        raise ValueError(event.name)

    async def later(event: Event) -> None:
        raise KeyError(event.name)

    users = make_users(callbacks=[plain, later, published.append])
    user = await users.create({"username": "ana"})
    assert await users.get(user.id) == user
    assert published == [UserCreated(user=user)]
    logged = [(record.name, record.levelno, record.exc_info and record.exc_info[0]) for record in caplog.records]
    assert logged == [("authx_core", logging.ERROR, ValueError), ("authx_core", logging.ERROR, KeyError)]
    assert "failed to receive" in caplog.text
    assert "in plain" in caplog.text


async def test_an_error_in_an_overridden_method_is_logged_too(
    make_users: Callable[..., UsersRepo], published: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    users = make_users(Greeting)
    ana = await users.create({"username": "ana"})
    assert (await users.kick(ana.id)).epoch == 2
    assert [event.name for event in published] == ["user_created", "user_kicked"]
    assert "who kicked ana?" in caplog.text


async def test_an_event_defined_by_the_application_reaches_the_callbacks(
    make_users: Callable[..., UsersRepo], published: list[Event]
) -> None:
    class ShoeBought(Event):
        pass

    class Shop(UsersRepo):
        async def create(self, obj: Any) -> User:
            await self.publish(ShoeBought())
            return await super().create(obj)

    await make_users(Shop).create({"username": "ana"})
    assert [event.name for event in published] == ["shoe_bought", "user_created"]


async def test_a_token_is_mailed_by_a_callback(users: UsersRepo, ana: User, published: list[Event]) -> None:
    await users.set_password_reset_token(ana.id, "Yp3vQ0s8kXo5cWb1Zr7TgLd2nJf4hUe6AaMiKtBxRwE")
    event = published[0]
    assert isinstance(event, PasswordResetRequested)
    assert event.token.reveal() == "Yp3vQ0s8kXo5cWb1Zr7TgLd2nJf4hUe6AaMiKtBxRwE"


@pytest.fixture
def blocking(clock: ManualClock, hasher: PasslibHasher) -> Callable[..., BlockingUsersRepo]:
    return lambda *callbacks: BlockingUsersRepo(
        UsersRepo(MemoryUserStore(), MemoryCache(clock), callbacks, clock=clock, hasher=hasher)
    )


def test_a_callback_that_awaits_breaks_neither_the_blocking_facade_nor_other_callbacks(
    blocking: Callable[..., BlockingUsersRepo], published: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    async def receive(_: Event) -> None:
        await asyncio.sleep(0)

    users = blocking(receive, receive, published.append)
    ana = users.create({"username": "ana"})
    assert users.get_by_username("ana") == ana
    assert [event.name for event in published] == ["user_created"]
    failures = [record.exc_info and record.exc_info[0] for record in caplog.records]
    assert failures == [Suspended, Suspended]
    assert "an asynchronous adapter or callback is behind the blocking facade" in caplog.text


async def test_a_callback_that_hangs_breaks_neither_the_operation_nor_other_callbacks(
    make_users: Callable[..., UsersRepo], published: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    async def hang(_: Event) -> None:
        await Forever()

    policy = Policy(callback_timeout=timedelta(milliseconds=1))
    users = make_users(callbacks=[hang, published.append], policy=policy)
    ana = await users.create({"username": "ana"})
    assert await users.get(ana.id) == ana
    assert [event.name for event in published] == ["user_created"]
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] in ([TimeoutError], [Suspended])


@pytest.mark.parametrize("seconds", [0, -1, None, "60", float("nan")])
def test_an_invalid_access_expiration_is_refused_at_construction(
    clock: ManualClock, hasher: PasslibHasher, seconds: Any
) -> None:
    with pytest.raises(InvalidPolicy, match="access_expiration"):
        UsersRepo(MemoryUserStore(), MemoryCache(clock), (), seconds, clock=clock, hasher=hasher)
