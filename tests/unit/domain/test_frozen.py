"""Values are immutable at any depth, and equal the values they were made from."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any

import msgspec
import orjson
import pytest

from authx_core import Event, InvalidUser, InvalidValue, NewUser, Policy, SocialIdentity, User, UserCreated, UserQuery
from authx_core.domain import checks
from authx_core.domain.registration import read_new_user

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
GIVEN: dict[str, Any] = {"tags": ["a", {"deep": [1, 2.5, None, True]}], "name": "Ana", "empty": {}, "none": []}
FROZEN: Any = User(id="1", created_at=NOW, extra=GIVEN).extra
CIRCLE: dict[str, Any] = {"a": 1}
CIRCLE["self"] = CIRCLE
WEB: list[Any] = []
WEB.extend([WEB] * 50)


def nested(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"a": value}
    return value


MUTATIONS: dict[str, Callable[[Any], object]] = {
    "item": lambda extra: extra.__setitem__("a", 1),
    "del": lambda extra: extra.__delitem__("name"),
    "update": lambda extra: extra.update(a=1),
    "or": lambda extra: extra.__ior__({"a": 1}),
    "setdefault": lambda extra: extra.setdefault("a", 1),
    "pop": lambda extra: extra.pop("name"),
    "popitem": lambda extra: extra.popitem(),
    "clear": lambda extra: extra.clear(),
    "append": lambda extra: extra["tags"].append(1),
    "extend": lambda extra: extra["tags"].extend([1]),
    "insert": lambda extra: extra["tags"].insert(0, 1),
    "remove": lambda extra: extra["tags"].remove("a"),
    "list item": lambda extra: extra["tags"].__setitem__(0, 1),
    "list del": lambda extra: extra["tags"].__delitem__(0),
    "list add": lambda extra: extra["tags"].__iadd__([1]),
    "list multiply": lambda extra: extra["tags"].__imul__(2),
    "list pop": lambda extra: extra["tags"].pop(),
    "list clear": lambda extra: extra["tags"].clear(),
    "sort": lambda extra: extra["tags"][1]["deep"].sort(),
    "reverse": lambda extra: extra["tags"].reverse(),
    "deep": lambda extra: extra["tags"][1].update(a=1),
}


@pytest.mark.parametrize("way", MUTATIONS)
@pytest.mark.parametrize(
    "kind", [lambda extra: NewUser(extra=extra), lambda extra: User(id="1", created_at=NOW, extra=extra)]
)
def test_extra_is_immutable(kind: Callable[[Any], NewUser | User], way: str) -> None:
    user = kind(GIVEN)
    with pytest.raises(TypeError, match="does not change"):
        MUTATIONS[way](user.extra)
    assert user.extra == GIVEN


def test_extra_is_not_the_callers_mapping() -> None:
    given: dict[str, Any] = {"tags": ["a"]}
    user = User(id="1", created_at=NOW, extra=given)
    given["tags"].append("b")
    given["more"] = 1
    assert user.extra == {"tags": ["a"]}


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])  # noqa: S301 - our own bytes
def test_extra_is_copied_and_pickled(again: Callable[[Any], Any]) -> None:
    same = again(FROZEN)
    assert same == GIVEN
    assert hash(same) == hash(FROZEN)
    with pytest.raises(TypeError):
        same["tags"].append(1)


def test_extra_is_json() -> None:
    assert FROZEN == GIVEN
    assert (
        json.loads(json.dumps(FROZEN))
        == json.loads(orjson.dumps(FROZEN))
        == msgspec.json.decode(msgspec.json.encode(FROZEN))
        == GIVEN
    )


def test_a_changed_copy_is_mutable() -> None:
    assert {**FROZEN, "plan": "pro"} == FROZEN | {"plan": "pro"} == {**GIVEN, "plan": "pro"}
    more = FROZEN["tags"] + ["b"]
    more.append("c")
    assert more == [*GIVEN["tags"], "b", "c"]


def test_any_mapping_and_tuple_becomes_json() -> None:
    user = User(id="1", created_at=NOW, extra=MappingProxyType({"a": ("b", MappingProxyType({}))}))
    assert user.extra == {"a": ["b", {}]}
    assert json.dumps(user.extra)


@pytest.mark.parametrize(
    "value",
    [
        CIRCLE,
        {"a": WEB},
        nested(32),
        nested(100_000),
        {"a": object()},
        {1: 2},
        {"a": float("inf")},
        {"a": "x" * 70_000},
        [],
        None,
        "a",
        5,
    ],
)
def test_an_invalid_extra_is_reported_as_a_problem(value: Any) -> None:
    with pytest.raises(InvalidValue, match="extra"):
        checks.check_user(User(id="1", created_at=NOW, extra=value))
    with pytest.raises(InvalidUser, match="extra"):
        read_new_user(NewUser(username="ana", extra=value), Policy())
    with pytest.raises(InvalidUser, match="extra"):
        read_new_user({"username": "ana", "extra": value}, Policy())


def test_values_have_hashes() -> None:
    mutable: Any = {"permissions": ["b", "a"], "identities": [SocialIdentity("github", "1")], "extra": GIVEN}
    user = User(id="1", created_at=NOW, **mutable)
    assert user.permissions == frozenset("ab")
    assert user.identities == (SocialIdentity("github", "1"),)
    assert len({user, User(id="1", created_at=NOW, **mutable)}) == 1
    assert hash(NewUser(**mutable)) == hash(NewUser(**mutable))
    assert hash(UserCreated(user=user)) == hash(UserCreated(user=user.view()))
    assert hash(UserQuery(id="1"))
    assert hash(user.view())


@pytest.mark.parametrize("kind", Event.__subclasses__(), ids=lambda kind: kind.__name__)
def test_the_fields_of_an_event_are_immutable(kind: type[Event]) -> None:
    annotations = {str(each) for each in kind.__annotations__.values()}
    frozen = {"UserView", "UserId", "UserId | None", "str", "str | None", "datetime", "frozenset[str]", "Secret"}
    assert {each for each in annotations if not each.startswith("Literal[")} <= frozen | {"SocialIdentity"}
