"""A token that the application supplies is accepted if it looks random."""

from __future__ import annotations

import secrets
import string
import uuid

import pytest

from authx_core.domain.token import MAX_TOKEN, MIN_TOKEN, why_no_token

GUESSABLE = {
    "one character": "t" * 43,
    "22 equal characters": "a" * 22,
    "too short": "Yp3vQ0s8kXo5cWb1Zr7Tg",
    "digits of 73 bits": "8273640192837465019283",
    "hexadecimal of 88 bits": "9f86d081884c7d659a2fea",
    "a repeated piece": "aB3_xY7z" * 4,
    "a repeated piece, cut": ("correct-horse" * 4)[:40],
    "few characters": "abcde" * 5 + "edcba" * 5,
    "the alphabet": string.ascii_lowercase + "{|}",
    "the alphabet backwards": string.ascii_lowercase[::-1],
    "too long": "Yp3vQ0s8kXo5cWb1" * 65,
    "empty": "",
    "not text": 42,
    "NUL": "Yp3vQ0s8kXo5cWb1Zr7TgL\0",
}


@pytest.mark.parametrize("token", GUESSABLE.values(), ids=GUESSABLE.keys())
def test_a_token_that_could_be_guessed_is_refused(token: object) -> None:
    assert why_no_token(token)


def test_a_random_token_is_accepted() -> None:
    for _ in range(2000):
        for token in (
            secrets.token_urlsafe(17),
            secrets.token_urlsafe(32),
            secrets.token_hex(16),
            secrets.token_hex(16).upper(),
            str(uuid.uuid4()),
            uuid.uuid4().hex,
            "".join(secrets.choice(string.digits) for _ in range(40)),
            "".join(secrets.choice(string.ascii_lowercase) for _ in range(26)),
        ):
            assert why_no_token(token) is None, token


def test_the_message_says_how_to_make_a_token() -> None:
    assert "secrets.token_urlsafe(32)" in str(why_no_token("a" * MIN_TOKEN))
    assert why_no_token("Yp3vQ0s8" * (MAX_TOKEN // 8) + "x") == f"must have at most {MAX_TOKEN} characters"
