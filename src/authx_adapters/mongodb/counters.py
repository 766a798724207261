"""Counters: the update that the server applies, and its result, computed from the old document.

Both state the same rule, once for MongoDB and once in Python. A command returns either the old document or the new one,
and the new one does not show whether the counter was changed.
"""

from __future__ import annotations

from typing import Any

from bson.int64 import Int64

from authx_adapters.mongodb.collections import Document
from authx_core.domain import InvalidValue, Problem, limits


def added(step: int, *, now: int, deadline: int) -> list[dict[str, Any]]:
    """Add to a live count that stays within 64 bits; start a count with this deadline; or change nothing."""
    low, high = _room(step)
    live = {"$gt": ["$deadline", now]}  # False without an entry: a missing field is less than any number
    room = {"$and": [{"$isNumber": "$value"}, {"$gte": ["$value", low]}, {"$lte": ["$value", high]}]}
    kept = {"$cond": [room, {"$add": ["$value", Int64(step)]}, "$value"]}
    value = {"$cond": [live, kept, Int64(step)]}
    return [{"$set": {"value": value, "deadline": {"$cond": [live, "$deadline", deadline]}}}]


def count(before: Document | None, step: int, *, now: int) -> int:
    """Return the new count. Raises `InvalidValue` if the counter was not changed."""
    if before is None or before["deadline"] <= now:
        return step
    low, high = _room(step)
    value = before["value"]
    if isinstance(value, int) and low <= value <= high:
        return int(value) + step
    raise InvalidValue(Problem("key", "invalid", "holds a value that is not a whole number, or has no room"))


def _room(step: int) -> tuple[int, int]:
    """Return the least and the greatest count that a step can be added to."""
    return -limits.MAX_INTEGER - min(step, 0), limits.MAX_INTEGER - max(step, 0)
