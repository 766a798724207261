"""A policy checks all of its settings at once when it is made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest

from authx_core import InvalidPolicy, Policy


def wrong(**settings: Any) -> set[tuple[str, str]]:
    with pytest.raises(InvalidPolicy) as caught:
        Policy(**settings)
    return {(problem.field, problem.code) for problem in caught.value.problems}


def test_the_defaults_are_sound() -> None:
    policy = Policy()
    assert policy.password_min == 15
    assert policy.username_min < policy.username_max


def test_every_wrong_setting_is_reported_at_once() -> None:
    found = wrong(
        password_min=7,
        password_max="128",
        login_max=True,
        max_page_size=1001,
        reset_lifetime=timedelta(0),
        login_timeout=60,
        without_cache="maybe",
        blocklist="password",
        reserved_usernames=["root"],
        username_scripts="latin",
        special_domains=["local"],
        dotted_domains=frozenset({"Example.org."}),
    )
    assert found == {
        ("password_min", "out_of_range"),
        ("password_max", "out_of_range"),
        ("login_max", "out_of_range"),
        ("max_page_size", "out_of_range"),
        ("reset_lifetime", "out_of_range"),
        ("login_timeout", "out_of_range"),
        ("without_cache", "unknown"),
        ("blocklist", "invalid"),
        ("reserved_usernames", "invalid"),
        ("username_scripts", "unknown"),
        ("special_domains", "invalid"),
        ("dotted_domains", "invalid"),
    }


def test_settings_that_contradict_each_other_are_refused() -> None:
    assert wrong(username_min=9, username_max=8) == {("username_min", "contradiction")}


def test_a_blocklist_is_a_container() -> None:
    assert wrong(blocklist=5) == {("blocklist", "invalid")}


@pytest.mark.parametrize(
    "field", [field.name for field in attrs.fields(Policy) if isinstance(field.default, timedelta)]
)
def test_lifetimes_have_bounds(field: str) -> None:
    for span in (timedelta(milliseconds=1), timedelta(days=1)):
        bounded: dict[str, Any] = {field: span}
        Policy(**bounded)
    assert wrong(**{field: timedelta(microseconds=999)}) == {(field, "out_of_range")}
    assert wrong(**{field: timedelta(days=91)}) == {(field, "out_of_range")}


@pytest.mark.parametrize("field", ["login_max", "login_client_max", "confirmation_max", "reset_max"])
def test_a_limit_that_limits_nothing_is_refused(field: str) -> None:
    assert wrong(**{field: 1_000_000}) == {(field, "out_of_range")}
