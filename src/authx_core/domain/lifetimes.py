"""How long something may last: one millisecond to ten years."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from authx_core.domain.errors import InvalidValue, Problem

SHORTEST: Final = timedelta(milliseconds=1)
"""The resolution of a `Cache`."""
_LONGEST: Final = timedelta(days=3650)
"""Our own: more than anybody waits or keeps, and less than any engine's clock can count."""


def why_no_lifetime(value: object, longest: timedelta = _LONGEST) -> str | None:
    """Say why a value is no lifetime, or None."""
    if isinstance(value, timedelta) and SHORTEST <= value <= longest:
        return None
    span = "ten years" if longest == _LONGEST else f"{longest.days} days"
    return f"must be a timedelta, from one millisecond to {span}"


def lifetime(given: object, field: str) -> timedelta:
    """Return seconds or a timedelta as a lifetime. Raises `InvalidValue`."""
    span = given
    if isinstance(given, int | float) and not isinstance(given, bool):
        try:
            span = timedelta(seconds=given)
        except (ValueError, OverflowError):  # not a number, or infinite
            span = None
    if not isinstance(span, timedelta) or why_no_lifetime(span):
        reason = "must be seconds or a timedelta, from one millisecond to ten years"
        raise InvalidValue(Problem(field, "out_of_range", reason))
    return span
