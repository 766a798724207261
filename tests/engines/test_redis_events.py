"""Events that a real subscriber receives from a real channel."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Any, cast, get_type_hints
from uuid import uuid4

import attrs
import pytest
from redis import Redis

import servers
from authx_adapters.redis import RedisEvents
from authx_core.domain import InvalidValue, PortUnavailable, SocialIdentity, User, UserView, events
from authx_core.domain.events import Event
from authx_core.domain.secret import Secret
from authx_core.ports import Events
from engines.redis_clients import Make, connected, every_client, kind, with_clients

AN_INSTANT = datetime(2026, 1, 2, 3, 4, 5, 678, timezone.utc)
A_USER = User(
    id="é-1",
    email="Zoë@example.org",
    email_key="zoë@example.org",
    username="zoë",
    username_key="zoë",
    password_hash="$argon2id$the-hash",
    permissions=frozenset({"b", "a"}),
    identities=(SocialIdentity("github", "1"),),
    created_at=AN_INSTANT,
    extra={"nested": [{"😀": None}]},
)
AS_DATA = {
    "id": "é-1",
    "email": "Zoë@example.org",
    "username": "zoë",
    "active": True,
    "confirmed": False,
    "permissions": ["a", "b"],
    "created_at": "2026-01-02T03:04:05.000678+00:00",
    "last_login": None,
    "version": 1,
}
A_TOKEN = "the-token"
EXAMPLES: dict[Any, Any] = {
    UserView: A_USER,
    SocialIdentity: SocialIdentity("github", "1"),
    Secret: Secret(A_TOKEN),
    datetime: AN_INSTANT,
    frozenset[str]: frozenset({"b", "a"}),
}
"""Values for fields of these types; all other fields are text."""


def every_event() -> Iterator[Event]:
    for event in Event.__subclasses__():
        types = get_type_hints(event)
        yield event(**{field.name: EXAMPLES.get(types[field.name], "text") for field in attrs.fields(event)})


@asynccontextmanager
async def subscribed(make: Make) -> AsyncIterator[tuple[Events, Any]]:
    """Lend a publisher, and a function that waits for its next message, in a cluster on another node."""
    channel = f"authx-{uuid4().hex}"
    async with connected(make) as client:
        listener: Any = Redis.from_url(servers.url(kind(make)))
        with listener, listener.pubsub(ignore_subscribe_messages=True) as subscription:
            subscription.subscribe(channel)
            assert subscription.get_message(timeout=5) is None

            def next_message() -> bytes:
                message = subscription.get_message(timeout=5)
                assert message is not None
                return bytes(message["data"])

            yield RedisEvents(client, channel=channel), next_message


@every_client
async def test_a_subscriber_receives_each_event_as_json(make: Make) -> None:
    async with subscribed(make) as (publisher, next_message):
        await publisher.publish(events.UserCreated(user=A_USER))
        message = next_message()
        assert json.loads(message) == {"event": "user_created", "user": AS_DATA}
        assert "Zoë".encode() in message
        await publisher.publish(events.BlackoutSet(cutoff=AN_INSTANT))
        assert json.loads(next_message()) == {"event": "blackout_set", "cutoff": "2026-01-02T03:04:05.000678+00:00"}


@every_client
async def test_no_event_contains_a_token_or_a_hash(make: Make) -> None:
    async with subscribed(make) as (publisher, next_message):
        for event in every_event():
            await publisher.publish(event)
            message = next_message()
            assert json.loads(message)["event"] == event.name
            assert A_TOKEN.encode() not in message
            assert b"argon2" not in message


async def test_an_address_that_utf_8_cannot_encode_is_escaped() -> None:
    """A client may send any address."""
    async with subscribed(Redis) as (publisher, next_message):
        await publisher.publish(events.LoginFailed(user_id=None, ip="\ud800\0\\", reason="unknown"))
        assert json.loads(next_message())["ip"] == "\\ud800\\x00\\"


@with_clients("blocking", "asynchronous")
async def test_a_killed_server_is_unavailable(make: Make) -> None:
    with servers.private("redis") as server:
        async with connected(make, server.url) as client:
            publisher = RedisEvents(client)
            await publisher.publish(events.UserCreated(user=A_USER))
            server.kill()
            with pytest.raises(PortUnavailable) as unavailable:
                await publisher.publish(events.UserCreated(user=A_USER))
            assert "zoë" not in str(unavailable.value).lower()
            server.start()
            await publisher.publish(events.UserCreated(user=A_USER))


async def test_a_channel_must_be_valid_text() -> None:
    async with connected(Redis) as client:
        for channel in cast("tuple[str, ...]", ("nul\0", "lone\ud800", None)):
            with pytest.raises(InvalidValue):
                RedisEvents(client, channel=channel)
