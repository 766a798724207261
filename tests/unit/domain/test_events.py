"""Events have names, hooks, and a serialised form without secrets."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Final

import pytest

from authx_core import (
    BlackoutSet,
    Event,
    LoginFailed,
    PasswordResetRequested,
    PermissionsChanged,
    Secret,
    SocialIdentity,
    User,
    UserCreated,
    UsersRepo,
)
from authx_core.domain.wire import event_to_data

NOW = datetime(2026, 1, 1, 12, 30, 0, 5, tzinfo=timezone.utc)
ANA = User(
    id="1",
    email="Ana@example.com",
    password_hash="$argon2id$canary",
    permissions=frozenset({"b", "a"}),
    identities=(SocialIdentity("github", "7"),),
    created_at=NOW,
    extra={"shoe": 38},
)


KINDS: Final = [kind for kind in Event.__subclasses__() if kind.__module__ == Event.__module__]
"""The events of the core; other tests in the process may define more."""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_event_has_a_method_that_receives_it(kind: type[Event]) -> None:
    assert kind.name.replace("_", "") == kind.__name__.lower()
    assert getattr(UsersRepo, f"on_{kind.name}").__annotations__["event"] == f"events.{kind.__name__}"


def test_every_method_receives_an_event_that_exists() -> None:
    names = {name.removeprefix("on_") for name in dir(UsersRepo) if name.startswith("on_")}
    assert names == {kind.name for kind in KINDS}


def test_a_user_is_serialised_without_the_hash() -> None:
    data = event_to_data(UserCreated(user=ANA))
    assert data["event"] == "user_created"
    user = data["user"]
    assert isinstance(user, dict)
    assert "password_hash" not in user
    assert user["created_at"] == "2026-01-01T12:30:00.000005+00:00"
    assert user["permissions"] == ["a", "b"]
    assert json.loads(json.dumps(data)) == json.loads(json.dumps(data, default=list))


def test_a_token_is_not_serialised() -> None:
    data = event_to_data(PasswordResetRequested(user=ANA, token=Secret("canary-canary-canary-canary")))
    assert set(data) == {"event", "user"}
    assert "canary" not in repr(data)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (BlackoutSet(cutoff=NOW), {"event": "blackout_set", "cutoff": NOW.isoformat()}),
        (
            LoginFailed(user_id=None, ip="::1", reason="unknown"),
            {"event": "login_failed", "user_id": None, "ip": "::1", "reason": "unknown"},
        ),
    ],
)
def test_plain_fields_are_serialised_as_json(event: Event, expected: dict[str, object]) -> None:
    assert event_to_data(event) == expected


def test_sets_are_serialised_in_order() -> None:
    data = event_to_data(PermissionsChanged(user=ANA, old=frozenset("zyx"), new=frozenset()))
    assert (data["old"], data["new"]) == (["x", "y", "z"], [])
