"""Counting: the update that the server applies, and what it must have made of the entry that was there before.

Both say the same, once in MongoDB's words and once in Python's, because a command returns the old document or the new
one, and the new one does not tell a counter that was moved from one that was left alone.
"""

from __future__ import annotations

from typing import Any

from bson.int64 import Int64

from authx_adapters.mongodb.collections import Document
from authx_core.domain import InvalidValue, Problem, limits


def added(step: int, *, now: int, deadline: int) -> list[dict[str, Any]]:
    """Go on where a live count has room, start with this deadline where there is none, else leave all as it is."""
    low, high = _room(step)
    live = {"$gt": ["$deadline", now]}  # also False where there is no entry: a missing field is less than any number
    room = {"$and": [{"$isNumber": "$value"}, {"$gte": ["$value", low]}, {"$lte": ["$value", high]}]}
    kept = {"$cond": [room, {"$add": ["$value", Int64(step)]}, "$value"]}
    value = {"$cond": [live, kept, Int64(step)]}
    return [{"$set": {"value": value, "deadline": {"$cond": [live, "$deadline", deadline]}}}]


def count(before: Document | None, step: int, *, now: int) -> int:
    """Return what the counter has come to. Raises `InvalidValue` if it was left alone."""
    if before is None or before["deadline"] <= now:
        return step
    low, high = _room(step)
    value = before["value"]
    if isinstance(value, int) and low <= value <= high:
        return int(value) + step
    raise InvalidValue(Problem("key", "invalid", "holds a value that is not a whole number, or has no room"))


def _room(step: int) -> tuple[int, int]:
    """Return the least and the greatest count to which a step can be added."""
    return -limits.MAX_INTEGER - min(step, 0), limits.MAX_INTEGER - max(step, 0)
