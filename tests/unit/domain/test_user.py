"""The public form of a user."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any, get_type_hints

import attrs
import httpx
import msgspec
import pytest
from fastapi import FastAPI
from litestar import Litestar, get
from pydantic import TypeAdapter

from authx_core import PublicUser, Secret, SocialIdentity, User, UserCreated, UserView

NOW = datetime(2026, 1, 1, 12, 30, 0, 5, tzinfo=timezone.utc)
ANA = User(
    id="1",
    email="Ana@example.com",
    email_key="canary",
    username="Ana",
    username_key="canary",
    password_hash=Secret("canary"),
    permissions=frozenset({"b", "a"}),
    identities=(SocialIdentity("github", "7"),),
    created_at=NOW,
    extra={"plan": "pro", "limits": {"seats": 3}, "note": "canary"},
    epoch=7,
    version=3,
)
PUBLIC: PublicUser = {
    "id": "1",
    "email": "Ana@example.com",
    "username": "Ana",
    "active": True,
    "confirmed": False,
    "permissions": ["a", "b"],
    "created_at": "2026-01-01T12:30:00.000005+00:00",
    "last_login": None,
    "version": 3,
}


def test_the_public_form_is_json_of_chosen_fields() -> None:
    assert ANA.public() == PUBLIC
    assert json.loads(json.dumps(ANA.public())) == PUBLIC
    assert msgspec.json.decode(msgspec.json.encode(ANA.public())) == PUBLIC
    assert attrs.evolve(ANA, last_login=NOW).public()["last_login"] == PUBLIC["created_at"]


def test_identities_and_fields_of_extra_are_included_on_request() -> None:
    public = ANA.public(identities=True, extra=["plan", "limits", "shoe"])
    assert public["identities"] == [{"provider": "github", "subject": "7"}]
    assert public["extra"] == {"plan": "pro", "limits": {"seats": 3}}
    assert json.dumps(public)
    assert ANA.public(extra="plan")["extra"] == {"plan": "pro"}


def test_the_public_form_has_a_schema() -> None:
    schema = TypeAdapter(PublicUser).json_schema()
    assert set(schema["required"]) == set(PUBLIC)
    assert set(schema["properties"]) == {*PUBLIC, "identities", "extra"}
    assert TypeAdapter(PublicUser).validate_python(ANA.public(identities=True, extra=["plan"]))


def test_a_view_has_neither_hash_nor_keys_nor_epoch() -> None:
    view = ANA.view()
    assert (view.id, view.email, view.username, view.extra, view.version) == (
        "1",
        "Ana@example.com",
        "Ana",
        ANA.extra,
        3,
    )
    assert type(view) is UserView
    for name in ("password_hash", "email_key", "username_key", "epoch"):
        assert not hasattr(view, name)
    assert view.public() == ANA.public()
    assert view.view() == view


def test_an_event_takes_a_user_and_keeps_a_view() -> None:
    event = UserCreated(user=ANA)
    assert type(event.user) is UserView
    assert event == UserCreated(user=ANA.view())
    assert "canary" not in repr(attrs.evolve(event, user=attrs.evolve(ANA, extra={})))


def test_the_types_of_a_user_resolve_at_run_time() -> None:
    for kind in (User, UserView, PublicUser):
        assert get_type_hints(kind)


async def answered(app: Any, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(path)


async def test_fastapi_answers_with_the_public_form_and_never_with_a_hash() -> None:
    app = FastAPI()

    @app.get("/public")
    async def public() -> PublicUser:
        return ANA.public()

    @app.get("/user", response_model=None)
    async def user() -> User:
        return ANA

    assert (await answered(app, "/public")).json() == PUBLIC
    assert (await answered(app, "/openapi.json")).status_code == 200
    answer = await answered(app, "/user")
    assert answer.status_code == 500
    assert "canary" not in answer.text


@pytest.mark.parametrize("debug", [False, True])
async def test_litestar_answers_with_the_public_form_and_never_with_a_hash(debug: bool) -> None:  # noqa: FBT001 - a parameter
    @get("/public")
    async def public() -> PublicUser:
        return ANA.public()

    @get("/user")
    async def user() -> User:
        return attrs.evolve(ANA, extra={}, email_key=None, username_key=None)

    app = Litestar([public, user], debug=debug)
    assert (await answered(app, "/public")).json() == PUBLIC
    answer = await answered(app, "/user")
    assert answer.status_code == 500
    assert "canary" not in answer.text
