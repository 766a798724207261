"""What a password must be."""

from __future__ import annotations

from unicodedata import normalize

import pytest

from authx_core import Policy, Problem, Secret
from authx_core.domain.password import check_password, prepared

POLICY = Policy()


def codes(password: object, policy: Policy = POLICY, **known: tuple[str | None, ...]) -> list[str]:
    given = Secret(password) if isinstance(password, str) else password
    return [problem.code for problem in check_password(given, policy, **known)]  # type: ignore[arg-type]  # wrong ones on purpose


@pytest.mark.parametrize(
    "password", ["correct horse battery", "пароль-на-кириллице", "🦊" * 7 + "🐻" * 8, " " * 7 + "a" * 8]
)
def test_any_unicode_will_do(password: str) -> None:
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
    ],
)
def test_every_reason_is_told_at_once(password: object, expected: list[str]) -> None:
    assert codes(password) == expected


@pytest.mark.parametrize("given", [5, None, b"bytes", ["list"]])
def test_a_wrapped_password_that_is_no_text_is_refused(given: object) -> None:
    assert codes(Secret(given)) == ["invalid"]  # type: ignore[arg-type]  # wrong on purpose


def test_ones_own_names_are_refused_in_any_case() -> None:
    known = ("Ana.Maria@Example.com", None, "")
    assert codes("ana.maria@EXAMPLE.com", known=known) == ["own_name"]


def test_common_passwords_are_refused_in_any_case() -> None:
    assert codes("Correct Horse Battery", Policy(blocklist={"correct horse battery"})) == ["common"]


def test_a_shorter_minimum_is_an_explicit_setting() -> None:
    assert codes("x7!fG?2a") == ["too_short"]
    assert codes("x7!fG?2a", Policy(password_min=8)) == []


def test_length_is_counted_in_code_points_after_nfc() -> None:
    assert codes("e\u0301" * 7 + "x7!fG?2") == ["too_short"]


def test_spellings_of_a_password_are_hashed_alike() -> None:
    ready = prepared(Secret("cafe\u0301"), 256)
    assert ready == Secret(normalize("NFC", "café"))


def test_octets_are_counted_before_anything_else() -> None:
    flood = prepared(Secret("\u0300\u0315" * 5_000_000), 1024)
    assert flood == Problem("password", "too_long", "must have at most 1024 bytes")
