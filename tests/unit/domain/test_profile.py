"""From what somebody typed to fields that can be stored."""

from __future__ import annotations

from typing import Any

import pytest

from authx_core import InvalidUser, NewUser, Policy, Secret, SocialIdentity
from authx_core.domain.profile import concealed, read_changes, read_new_user, read_permissions

POLICY = Policy()


def wrong(given: object) -> set[tuple[str, str]]:
    with pytest.raises(InvalidUser) as caught:
        read_new_user(given, POLICY)
    return {(problem.field, problem.code) for problem in caught.value.problems}


def test_every_bad_field_is_told_at_once() -> None:
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
def test_a_mapping_grants_nothing(field: str) -> None:
    assert wrong({"username": "ana", field: "x"}) == {(field, "protected")}


@pytest.mark.parametrize(
    ("username", "code"),
    [("x", "length"), ("a" * 33, "length"), ("Root", "reserved"), ("ana@example.com", "invalid"), (5, "invalid")],
)
def test_a_username_follows_the_policy(username: object, code: str) -> None:
    assert wrong({"username": username}) == {("username", code)}


def named(username: str, **settings: Any) -> str | None:
    """Return the code of the refusal, if there is one."""
    try:
        read_changes({"username": username}, Policy(**settings))
    except InvalidUser as error:
        return error.problems[0].code
    return None


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
    assert {level for level in every if named(username, username_scripts=level) is None} == levels


def test_a_name_that_looks_like_a_reserved_one_is_refused_whatever_its_scripts() -> None:
    lookalikes = ["аdmin", "ADМIN", "r00t", "adrnin", "АВUЅЕ", "ѕуѕtem", "MЕ", "ᴀdmin", "ѕуѕтем", "rооᴛ"]
    assert {named(name, username_scripts="any") for name in lookalikes} == {"reserved"}
    assert named("аdmin", username_scripts="any", reserved_usernames=frozenset()) is None


@pytest.mark.parametrize("username", ["Großmeister", "GROSSMEISTER", "ΠΑΠΆΣ", "παπάς"])
def test_a_name_is_reserved_in_any_spelling(username: str) -> None:
    assert named(username, reserved_usernames=frozenset({"großmeister", "παπάς"})) == "reserved"


def test_a_name_may_not_look_like_the_capitals_of_a_reserved_one() -> None:
    assert [named(name, reserved_usernames=frozenset({"ταχυ"})) for name in ("TAXY", "taxy")] == [
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
def test_a_setting_allows_what_few_want(address: str, code: str, allowed: dict[str, Any]) -> None:
    with pytest.raises(InvalidUser) as caught:
        read_changes({"email": address}, POLICY)
    (problem,) = caught.value.problems
    assert (problem.code, problem.message.count(next(iter(allowed)))) == (code, 1)
    settings: dict[str, Any] = {name: frozenset(domains) for name, domains in allowed.items()}
    changes = read_changes({"email": address}, Policy(**settings))
    assert changes.get("email") == address


def test_a_domain_allows_none_that_only_ends_alike() -> None:
    with pytest.raises(InvalidUser):
        read_changes({"email": "ana@notintranet"}, Policy(special_domains=frozenset({"intranet"})))


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
def test_identities_are_values_of_an_application_s_own_code(identities: Any) -> None:
    assert wrong(NewUser(username="ana", identities=identities)) == {("identities", "invalid")}


def test_a_number_of_any_length_is_no_address() -> None:
    """Python refuses to write out integers of more than 4,300 digits."""
    assert wrong({"email": 10**5000}) == {("email", "invalid")}


@pytest.mark.parametrize("given", [{}, {"email": None}, NewUser()])
def test_nobody_is_no_user(given: object) -> None:
    assert wrong(given) == {("", "nobody")}


@pytest.mark.parametrize("given", [None, 5, "ana", [("username", "ana")]])
def test_a_user_is_made_of_a_new_user_or_a_mapping(given: object) -> None:
    assert wrong(given) == {("", "invalid")}
    with pytest.raises(InvalidUser):
        read_changes(given, POLICY)


def test_a_password_comes_plain_or_hashed() -> None:
    new = NewUser(username="ana", password="correct horse battery", password_hash="$hash$")
    assert wrong(new) == {("password_hash", "contradiction")}


def test_what_is_granted_is_checked_too() -> None:
    given: dict[str, Any] = {"active": None, "confirmed": 1, "created_at": "now", "last_login": 5, "permissions": [""]}
    found = wrong(NewUser(username="ana", **given))
    assert found == {(field, "invalid") for field in given}


def test_a_password_is_none_of_ones_names() -> None:
    assert wrong({"email": "ana.maria@example.com", "password": "Ana.Maria@example.com"}) == {("password", "own_name")}


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


@pytest.mark.parametrize("password", ["canary", b"canary", ["canary"], Secret("canary")])
def test_a_password_in_a_mapping_is_concealed_whatever_its_type(password: object) -> None:
    assert "canary" not in repr(concealed({"password": password, "password_hash": password, "username": "ana"}))


def test_what_is_no_mapping_is_left_alone() -> None:
    new: Any = NewUser(username="ana")
    assert concealed(new) is new
    assert concealed({"password": None}) == {"password": None}
