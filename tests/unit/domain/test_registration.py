"""Input becomes a new user that can be stored."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from authx_core import InvalidUser, NewUser, Policy, Secret, SocialIdentity, User
from authx_core.domain.registration import concealed, read_new_user

POLICY = Policy()
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def wrong(given: object) -> set[tuple[str, str]]:
    with pytest.raises(InvalidUser) as caught:
        read_new_user(given, POLICY)
    return {(problem.field, problem.code) for problem in caught.value.problems}


def test_every_bad_field_is_reported_at_once() -> None:
    given = {
        "email": "nobody",
        "username": "a b",
        "password": "short",
        "identities": [],
        "extra": {"a": {1}},
        "permissions": ["admin"],
        "shoe": 38,
    }
    assert wrong(given) == {
        ("email", "invalid"),
        ("username", "invalid"),
        ("password", "too_short"),
        ("identities", "protected"),
        ("extra", "invalid"),
        ("permissions", "protected"),
        ("shoe", "unknown"),
    }


@pytest.mark.parametrize(
    "field",
    ["id", "password_hash", "active", "confirmed", "permissions", "identities", "epoch", "version", "email_key"],
)
def test_a_mapping_cannot_set_a_protected_field(field: str) -> None:
    assert wrong({"username": "ana", field: "x"}) == {(field, "protected")}


@pytest.mark.parametrize(
    "identities",
    [
        [5],
        [None],
        ["ab"],
        bytearray(b"ab"),
        "ab",
        [{"provider": "a", "subject": "b"}],
        [SocialIdentity("", "b")],
    ],
)
def test_identities_must_be_social_identities(identities: Any) -> None:
    assert wrong(NewUser(username="ana", identities=identities)) == {("identities", "invalid")}


def test_a_huge_number_is_not_an_address() -> None:
    """Python refuses to write out integers of more than 4,300 digits."""
    assert wrong({"email": 10**5000}) == {("email", "invalid")}


@pytest.mark.parametrize("given", [{}, {"email": None}, NewUser()])
def test_a_user_needs_a_name_or_an_identity(given: object) -> None:
    assert wrong(given) == {("", "nobody")}


@pytest.mark.parametrize("given", [None, 5, "ana", [("username", "ana")]])
def test_a_user_is_made_from_a_new_user_or_a_mapping(given: object) -> None:
    assert wrong(given) == {("", "invalid")}


def test_a_password_and_a_hash_exclude_each_other() -> None:
    new = NewUser(username="ana", password="correct horse battery", password_hash="$hash$")
    assert wrong(new) == {("password_hash", "contradiction")}


def test_fields_that_only_an_application_sets_are_checked_too() -> None:
    given: dict[str, Any] = {"active": None, "confirmed": 1, "created_at": "now", "last_login": 5, "permissions": [""]}
    found = wrong(NewUser(username="ana", **given))
    assert found == {(field, "invalid") for field in given}


def test_a_password_must_not_be_the_person_s_own_name() -> None:
    assert wrong({"email": "ana.maria@example.com", "password": "Ana.Maria@example.com"}) == {("password", "own_name")}


@pytest.mark.parametrize("password", ["canary", b"canary", ["canary"], Secret("canary")])
def test_a_password_in_a_mapping_is_concealed_whatever_its_type(password: object) -> None:
    assert "canary" not in repr(concealed({"password": password, "password_hash": password, "username": "ana"}))


def test_concealing_changes_nothing_but_secrets() -> None:
    new: Any = NewUser(username="ana")
    assert concealed(new) is new
    assert concealed({"password": None}) == {"password": None}


def test_a_registration_becomes_a_user() -> None:
    registration = read_new_user({"email": "Ana@Example.com", "password": "cafe\u0301 with a long name"}, POLICY)
    assert registration.password == Secret("caf\u00e9 with a long name")
    assert registration.user("1", NOW, Secret("$hash$")) == User(
        id="1", email="Ana@Example.com", email_key="ana@example.com", password_hash=Secret("$hash$"), created_at=NOW
    )


def test_a_registration_keeps_what_the_application_grants() -> None:
    then = datetime(2020, 1, 1, tzinfo=timezone.utc)
    granted: dict[str, Any] = {
        "active": False,
        "confirmed": True,
        "permissions": frozenset({"read"}),
        "identities": (SocialIdentity("github", "7"),),
        "created_at": then,
        "last_login": then,
        "extra": {"a": 1},
    }
    registration = read_new_user(NewUser(**granted), POLICY)
    assert registration.user("1", NOW, None) == User(id="1", **granted)
