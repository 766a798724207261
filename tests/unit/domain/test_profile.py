"""Input becomes fields that can be stored."""

from __future__ import annotations

from typing import Any

import pytest

from authx_core import InvalidUser, Policy
from authx_core.domain.profile import read_changes, read_permissions

POLICY = Policy()


@pytest.mark.parametrize(
    ("username", "code"),
    [("x", "length"), ("a" * 33, "length"), ("Root", "reserved"), ("ana@example.com", "invalid"), (5, "invalid")],
)
def test_a_username_follows_the_policy(username: object, code: str) -> None:
    with pytest.raises(InvalidUser) as caught:
        read_changes({"username": username}, POLICY)
    assert [problem.code for problem in caught.value.problems] == [code]


def refusal(username: str, **settings: Any) -> str | None:
    """Return the code of the problem with a username, or None."""
    try:
        read_changes({"username": username}, Policy(**settings))
    except InvalidUser as error:
        return error.problems[0].code
    return None


@pytest.mark.parametrize("given", [None, 5, "ana", [("username", "ana")]])
def test_changes_are_a_mapping(given: object) -> None:
    with pytest.raises(InvalidUser, match="must be a mapping"):
        read_changes(given, POLICY)


@pytest.mark.parametrize(
    ("username", "levels"),
    [
        ("ana", {"ascii", "single", "high", "moderate", "any"}),
        ("anañ", {"single", "high", "moderate", "any"}),
        ("анна7", {"single", "high", "moderate", "any"}),
        ("tanakaさん", {"high", "moderate", "any"}),
        ("kim김수", {"high", "moderate", "any"}),
        ("राम_dev", {"moderate", "any"}),
        ("анна_dev", {"any"}),
        ("ανα_dev", {"any"}),
        ("ana১", {"moderate", "any"}),
        ("ana1১", {"any"}),
        ("さん김수", {"any"}),
        ("ꭰꮣana", {"any"}),
    ],
)
def test_a_restriction_level_says_which_scripts_a_name_may_mix(username: str, levels: set[str]) -> None:
    """UTS 39, section 5.2."""
    every = ["ascii", "single", "high", "moderate", "any"]
    assert {level for level in every if refusal(username, username_scripts=level) is None} == levels


def test_a_name_that_looks_like_a_reserved_one_is_refused_whatever_its_scripts() -> None:
    lookalikes = ["аdmin", "ADМIN", "r00t", "adrnin", "АВUЅЕ", "ѕуѕtem", "MЕ", "ᴀdmin", "ѕуѕтем", "rооᴛ"]
    assert {refusal(name, username_scripts="any") for name in lookalikes} == {"reserved"}
    assert refusal("аdmin", username_scripts="any", reserved_usernames=frozenset()) is None


@pytest.mark.parametrize("username", ["Großmeister", "GROSSMEISTER", "ΠΑΠΆΣ", "παπάς"])
def test_a_name_is_reserved_in_any_spelling(username: str) -> None:
    assert refusal(username, reserved_usernames=frozenset({"großmeister", "παπάς"})) == "reserved"


def test_a_name_may_not_look_like_the_capitals_of_a_reserved_one() -> None:
    assert [refusal(name, reserved_usernames=frozenset({"ταχυ"})) for name in ("TAXY", "taxy")] == [
        "reserved",
        "reserved",
    ]


@pytest.mark.parametrize(
    ("address", "code", "allowed"),
    [
        ("ana@printer.local", "special_domain", {"special_domains": {"local"}}),
        ("ana@printer.local", "special_domain", {"special_domains": {"printer.local"}}),
        ("ana@LOCALHOST", "special_domain", {"special_domains": {"localhost"}}),
        ("ana@intranet", "special_domain", {"special_domains": {"intranet"}}),
        ("ana.@example.org", "dots", {"dotted_domains": {"example.org"}}),
        (".ana@example.org", "dots", {"dotted_domains": {"org"}}),
        ("a..b@mail.example.org", "dots", {"dotted_domains": {"example.org"}}),
    ],
)
def test_a_setting_allows_an_unusual_domain(address: str, code: str, allowed: dict[str, Any]) -> None:
    with pytest.raises(InvalidUser) as caught:
        read_changes({"email": address}, POLICY)
    (problem,) = caught.value.problems
    assert (problem.code, problem.message.count(next(iter(allowed)))) == (code, 1)
    settings: dict[str, Any] = {name: frozenset(domains) for name, domains in allowed.items()}
    changes = read_changes({"email": address}, Policy(**settings))
    assert changes.get("email") == address


def test_allowing_a_domain_does_not_allow_one_with_the_same_ending() -> None:
    with pytest.raises(InvalidUser):
        read_changes({"email": "ana@notintranet"}, Policy(special_domains=frozenset({"intranet"})))


@pytest.mark.parametrize("given", [None, "admin", b"admin", 5, [[]], [5], [""], {"admin": 1}])
def test_permissions_are_a_collection_of_text(given: object) -> None:
    with pytest.raises(InvalidUser, match="permissions"):
        read_permissions(given)


@pytest.mark.parametrize("given", [["a", "b"], ("a", "b"), {"a", "b"}, iter("ab")])
def test_permissions_come_in_any_collection(given: object) -> None:
    assert read_permissions(given) == frozenset("ab")


@pytest.mark.parametrize("key", [5, None, "x" * 100, ("a",)])
def test_an_unknown_field_is_named_briefly(key: object) -> None:
    with pytest.raises(InvalidUser) as caught:
        read_changes({key: 1}, POLICY)
    assert [len(problem.field) <= 64 for problem in caught.value.problems] == [True]
