"""The rules for passwords."""

from __future__ import annotations

from unicodedata import normalize

import pytest

from authx_core import InvalidPassword, Policy, Secret
from authx_core.domain.password import PreparedPassword, accepted, check_names, prepared

POLICY = Policy()


def codes(password: object, policy: Policy = POLICY, names: tuple[str | None, ...] = ()) -> list[str]:
    given = Secret(password)  # type: ignore[arg-type]  # wrong on purpose
    try:
        accepted(given, policy, names=names)
    except InvalidPassword as error:
        return [problem.code for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "password", ["correct horse battery", "пароль-на-кириллице", "🦊" * 7 + "🐻" * 8, " " * 7 + "a" * 8]
)
def test_a_password_may_have_any_characters(password: str) -> None:
    assert codes(password) == []


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("x7!fG", ["too_short"]),
        ("", ["too_short"]),
        ("qwertz" + "ab1" * 41, ["too_long"]),
        ("ab" * 10, ["common"]),
        ("12345678" * 2, ["common"]),
        ("password", ["too_short", "common"]),
        ("1234", ["too_short", "common"]) if "1234" in POLICY.blocklist else ("iloveyou", ["too_short", "common"]),
        ("a" * 1025, ["too_long"]),
        ("é" * 600, ["too_long"]),
        ("a" * 20 + "\0", ["invalid"]),
        ("a" * 20 + "\ud800", ["invalid"]),
        (None, ["invalid"]),
        (b"correct horse battery", ["invalid"]),
        (5, ["invalid"]),
        (["list"], ["invalid"]),
    ],
)
def test_every_reason_is_given_at_once(password: object, expected: list[str]) -> None:
    assert codes(password) == expected


def test_the_person_s_own_names_are_refused_in_any_case() -> None:
    names = ("Ana.Maria@Example.com", None, "")
    assert codes("ana.maria@EXAMPLE.com", names=names) == ["own_name"]
    with pytest.raises(InvalidPassword):
        check_names(PreparedPassword("ana.maria@EXAMPLE.com"), names)
    check_names(PreparedPassword("ana.maria@EXAMPLE.org"), names)


def test_common_passwords_are_refused_in_any_case() -> None:
    assert codes("Correct Horse Battery", Policy(blocklist={"correct horse battery"})) == ["common"]


def test_a_shorter_minimum_is_an_explicit_setting() -> None:
    assert codes("x7!fG?2a") == ["too_short"]
    assert codes("x7!fG?2a", Policy(password_min=8)) == []


def test_length_is_counted_in_code_points_after_nfc() -> None:
    assert codes("e\u0301" * 7 + "x7!fG?2") == ["too_short"]


def test_spellings_of_a_password_are_hashed_alike() -> None:
    ready = prepared(Secret("cafe\u0301"), POLICY)
    assert ready == Secret(normalize("NFC", "café"))
    assert repr(ready) == repr(Secret(""))


def test_octets_are_counted_before_anything_else() -> None:
    with pytest.raises(InvalidPassword, match="must have at most 1024 bytes"):
        prepared(Secret("\u0300\u0315" * 5_000_000), POLICY)
