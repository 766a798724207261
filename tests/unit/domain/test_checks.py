"""Checks refuse values that no port accepts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, cast

import attrs
import pytest

from authx_core import InvalidValue, SocialIdentity, User, UserQuery
from authx_core.domain import checks

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
NAIVE = NOW.replace(tzinfo=None)
ANA = User(id="1", email="ana@example.com", created_at=NOW)
CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)
MANY = tuple(SocialIdentity("github", str(number)) for number in range(101))


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def refused(check: Callable[..., None], *args: object, **options: object) -> list[str]:
    with pytest.raises(InvalidValue) as caught:
        check(*args, **options)
    return [problem.field for problem in caught.value.problems]


REFUSED: dict[str, tuple[Any, ...]] = {
    "id": ("", None, 5, "x" * 256, "\0", "\ud800"),
    "email": ("", 5, "x" * 255),
    "active": (None, 1, "yes"),
    "epoch": (0, -1, True, 1.0, "1", 2**63),
    "created_at": (None, "now", NAIVE, datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))),
    "last_login": (5, NAIVE),
    "permissions": (None, "a", [[]], frozenset({""}), frozenset({5}), frozenset(map(str, range(1001)))),
    "identities": ("ab", (5,), MANY, (MANY[0], MANY[0]), (SocialIdentity("", "1"),), (SocialIdentity("a", ""),)),
    "extra": (
        *(None, [], {5: 1}, {"a": {1}}, {"a": float("nan")}, {"a": 2**63}, {"a": -(2**63) - 1}, {"a": "\0"}),
        *({"a": deep(32)}, {"a": "x" * 65536}, {"a": CIRCLE}, {"a" * 65537: 1}, {"a": [0] * 65536}, {"a": [b""]}),
        {"a": [1000] * 20_000},
    ),
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in REFUSED.items() for value in values])
def test_an_invalid_field_of_a_user_is_refused(field: str, value: Any) -> None:
    assert refused(checks.check_user, attrs.evolve(ANA, **cast("dict[str, Any]", {field: value}))) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "x" * 255),
        ("permissions", frozenset(map(str, range(1000)))),
        ("identities", MANY[:100]),
        ("extra", {"a": deep(30), "b": None, "c": True, "d": 1.5, "e": -(2**63), "f": {"g": ("h",)}}),
        ("epoch", 2**63 - 1),
        ("last_login", NOW),
    ],
)
def test_a_field_at_its_limit_is_accepted(field: str, value: Any) -> None:
    checks.check_user(attrs.evolve(ANA, **cast("dict[str, Any]", {field: value})))


def test_a_mapping_is_not_a_user() -> None:
    assert refused(checks.check_user, {"id": "1"}) == ["user"]


def test_every_problem_of_a_user_is_reported() -> None:
    wrong = attrs.evolve(ANA, email="", epoch=0, extra={"a": CIRCLE})
    assert refused(checks.check_user, wrong) == ["email", "extra", "epoch"]


def test_an_update_cannot_change_id_and_version() -> None:
    assert refused(checks.check_update, {"id": "2", "version": 2, "shoe": 1, "epoch": 2}, None) == [
        "id",
        "version",
        "shoe",
    ]


def test_changes_have_the_types_of_a_user() -> None:
    wrong: Any = {"permissions": {"a"}, "identities": [], "password_hash": "text"}
    assert refused(checks.check_update, wrong, None) == ["permissions", "identities", "password_hash"]


def test_an_update_cannot_expect_extra_or_identities() -> None:
    assert refused(checks.check_update, {}, {"extra": {}, "identities": (), "version": 1}) == ["extra", "identities"]
    assert refused(checks.check_update, None, None) == ["changes"]
    assert refused(checks.check_update, {}, ["version"]) == ["expected"]


def test_a_malformed_query_is_refused() -> None:
    checks.check_query(UserQuery(id="", username_contains="%", active=True))
    assert refused(checks.check_query, "ana") == ["query"]
    wrong: dict[str, Any] = {"id": 5, "active": 1, "permission": "\0"}
    assert refused(checks.check_query, UserQuery(**wrong)) == ["id", "active", "permission"]


def test_a_page_is_bounded() -> None:
    checks.check_page(1000, None, 0)
    assert refused(checks.check_page, 1001, 5, -1) == ["limit", "after", "offset"]
    assert refused(checks.check_page, True, None, 1.0) == ["limit", "offset"]


def test_a_cut_off_is_an_aware_instant() -> None:
    checks.check_blackout(None)
    checks.check_blackout(NOW, required=True)
    assert refused(checks.check_blackout, None, required=True) == ["cutoff"]


@pytest.mark.parametrize("keys", ["key", 5, None])
def test_the_keys_of_entries_are_a_sequence(keys: object) -> None:
    assert refused(checks.check_entry, keys) == ["keys"]


@pytest.mark.parametrize("key", ["", "x" * 513, "\0", None])
def test_the_key_of_an_entry_is_short_text(key: object) -> None:
    assert refused(checks.check_entry, [key]) == ["key"]


@pytest.mark.parametrize(
    "ttl", [0, None, timedelta(0), timedelta(seconds=-1), timedelta(microseconds=999), timedelta(days=3651)]
)
def test_an_entry_needs_a_lifetime(ttl: object) -> None:
    assert refused(checks.check_entry, ["key"], ttl=ttl) == ["ttl"]


@pytest.mark.parametrize("by", [None, True, 1.0, 2**63, -(2**63)])
def test_a_counter_moves_by_whole_numbers(by: object) -> None:
    checks.check_step(-5)
    assert refused(checks.check_step, by) == ["by"]
