"""Timeouts, as callers give them."""

from __future__ import annotations

import math
from datetime import timedelta

from authx_core.domain import InvalidValue, Problem


def seconds(timeout: timedelta | float | None) -> float | None:
    """Return a timeout in seconds, None for none. Raises `InvalidValue` unless it is positive and finite."""
    if timeout is None:
        return None
    span = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    # An `isinstance` of `bool` comes first: True is a number, and would be a second.
    if isinstance(span, bool) or not isinstance(span, int | float) or not 0 < span < math.inf:  # pyright: ignore[reportUnnecessaryIsInstance] - whatever a caller gives
        raise InvalidValue(Problem("timeout", "out_of_range", "must be a positive timedelta or number of seconds"))
    return float(span)
