"""A secret is never shown, serialised or logged."""

from __future__ import annotations

import copy
import hashlib
import json
import pickle
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import attrs
import cattrs
import msgspec
import orjson
import pytest
from fastapi.encoders import jsonable_encoder
from litestar.exceptions import SerializationException
from litestar.serialization import encode_json, encode_msgpack
from pydantic import PydanticUserError, TypeAdapter
from pydantic_core import to_json

from authx_core import NewUser, Secret, User

CANARY = "canary-canary-canary-canary"
USER = User(id="1", username="ana", password_hash=Secret(CANARY), created_at=datetime(2026, 1, 1, tzinfo=timezone.utc))

SERIALISERS: dict[str, Callable[[Any], object]] = {
    "json": json.dumps,
    "json of asdict": lambda user: json.dumps(attrs.asdict(user), default=list),
    "json of cattrs": lambda user: json.dumps(cattrs.unstructure(user), default=list),
    "pickle": pickle.dumps,
    "vars": vars,
    "orjson": lambda user: orjson.dumps(attrs.asdict(user)),
    "msgspec": msgspec.json.encode,
    "msgspec builtins": msgspec.to_builtins,
    "msgpack": msgspec.msgpack.encode,
    "Litestar": encode_json,
    "Litestar, msgpack": encode_msgpack,
    "FastAPI": jsonable_encoder,
    "pydantic": to_json,
    "pydantic, by the type": lambda user: TypeAdapter(User).dump_json(user),
}
SHOWN: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "str": str,
    "%s": lambda user: "%s %r" % (user, user),  # noqa: UP031 - one of the ways to show it
    "format": lambda user: f"{user} {user!r} {user!s} {user.password_hash:>40} {user.password_hash:.3}",
    "asdict": attrs.asdict,
    "astuple": attrs.astuple,
    "cattrs": cattrs.unstructure,
    "json with a default": lambda user: json.dumps(attrs.asdict(user), default=str),
    "orjson with a default": lambda user: orjson.dumps(attrs.asdict(user), default=str),
    "pydantic, without a check": lambda user: to_json(attrs.asdict(user), serialize_unknown=True),
    "slots": lambda user: [getattr(user.password_hash, name) for name in type(user.password_hash).__slots__],
    "dir": lambda user: [getattr(user.password_hash, name) for name in dir(user.password_hash)],
}


@pytest.mark.parametrize("way", SERIALISERS)
def test_serialising_a_user_with_a_hash_fails(way: str) -> None:
    with pytest.raises((TypeError, ValueError, SerializationException, PydanticUserError)):
        SERIALISERS[way](USER)


@pytest.mark.parametrize("way", SHOWN)
def test_a_hash_is_not_shown(way: str) -> None:
    assert CANARY not in str(SHOWN[way](USER))


def test_a_new_user_shows_no_hash() -> None:
    new = NewUser(username="ana", password_hash=CANARY)
    assert CANARY not in f"{new} {attrs.asdict(new)}"
    assert new.password_hash == Secret(CANARY)


def test_only_reveal_shows_a_secret() -> None:
    secret = Secret(CANARY)
    assert CANARY not in f"{secret!r} {secret} {secret:} {secret:>30} {[secret]} {vars(type(secret))}"
    assert secret.reveal() == CANARY


def test_a_secret_of_a_secret_is_the_same_secret() -> None:
    assert Secret(Secret(CANARY)).reveal() == CANARY


def test_secrets_are_compared_and_kept_in_sets() -> None:
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret("another")
    assert Secret(CANARY) != CANARY
    assert len({Secret(CANARY), Secret(CANARY)}) == 1
    assert Secret("\ud800") == Secret("\ud800")


def test_a_secret_is_immutable_so_a_copy_is_the_same_object() -> None:
    secret = Secret(CANARY)
    assert copy.copy(secret) is secret
    assert copy.deepcopy(secret) is secret
    assert copy.deepcopy(USER) == copy.copy(USER) == USER
    with pytest.raises(AttributeError):
        secret._text = lambda: "another"
    with pytest.raises(AttributeError):
        del secret._text


def test_a_secret_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(CANARY))
    with pytest.raises(TypeError):
        json.dumps(Secret(CANARY))


def test_the_digest_of_a_secret_is_its_sha256() -> None:
    assert Secret(CANARY).digest() == hashlib.sha256(CANARY.encode()).hexdigest()
