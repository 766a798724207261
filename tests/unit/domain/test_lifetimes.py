"""Lifetimes and timeouts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from authx_core import InvalidValue
from authx_core.domain.lifetimes import lifetime, why_no_lifetime

TEN_YEARS = timedelta(days=3650)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (1, timedelta(seconds=1)),
        (0.001, timedelta(milliseconds=1)),
        (timedelta(milliseconds=1), timedelta(milliseconds=1)),
        (TEN_YEARS, TEN_YEARS),
        (TEN_YEARS.total_seconds(), TEN_YEARS),
    ],
)
def test_a_lifetime_is_seconds_or_a_timedelta(given: object, expected: timedelta) -> None:
    assert lifetime(given, "ttl") == expected


@pytest.mark.parametrize(
    "given",
    [
        *(None, "1", True, [], 0, -1, 0.0009, float("nan"), float("inf"), 1e300, timedelta(0)),
        *(timedelta(microseconds=999), TEN_YEARS + timedelta(microseconds=1)),
    ],
)
def test_anything_else_is_refused_by_name(given: object) -> None:
    with pytest.raises(InvalidValue, match="timeout: must be seconds or a timedelta") as caught:
        lifetime(given, "timeout")
    assert [(problem.field, problem.code) for problem in caught.value.problems] == [("timeout", "out_of_range")]


def test_a_lifetime_may_have_a_lower_maximum() -> None:
    week = timedelta(days=7)
    assert why_no_lifetime(week, week) is None
    assert why_no_lifetime(timedelta(days=8), week) == "must be a timedelta, from one millisecond to 7 days"
    assert why_no_lifetime(TEN_YEARS * 2) == "must be a timedelta, from one millisecond to ten years"
