"""Checks that an adapter calls before it touches an engine.

Every engine refuses the same values with the same `InvalidValue`, and none sees a value that it would cut or coerce.
`reasons` has the rules, `limits` and `lifetimes` the numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import attrs

from authx_core.domain import reasons
from authx_core.domain.errors import InvalidValue, Problem
from authx_core.domain.lifetimes import why_no_lifetime
from authx_core.domain.limits import MAX_CACHE_KEY, MAX_CACHE_VALUE, MAX_ID, MAX_INTEGER, MAX_LIMIT, MAX_NAME
from authx_core.domain.reasons import Reason
from authx_core.domain.user import User, UserChanges, UserFields, UserQuery


def is_text(value: object, limit: int = MAX_NAME) -> bool:
    """Whether a value is text that an engine can be asked for. No other value finds a user."""
    return reasons.why_not_text(value, limit) is None


def check_text(**values: object) -> None:
    """Raise `InvalidValue` for each value that is not text: an id of another type is a slip, not an unknown id."""
    _refuse({field: None if isinstance(value, str) else _no_text(value) for field, value in values.items()})


def check_user(user: User) -> None:
    """Raise `InvalidValue` unless a store can keep this user whole."""
    if not isinstance(user, User):
        raise InvalidValue(Problem("user", "invalid", "must be a User"))
    _check({field: getattr(user, field) for field in reasons.USER}, reasons.USER)


def check_update(changes: UserChanges, expected: UserFields | None) -> None:
    """Raise `InvalidValue` unless these fields can be changed, and those be compared."""
    for name, fields, allowed in (
        ("changes", changes, reasons.CHANGES),
        ("expected", expected or {}, reasons.EXPECTED),
    ):
        if not isinstance(fields, Mapping):
            raise InvalidValue(Problem(name, "invalid", "must be a mapping"))
        _check(fields, allowed)


def epoch_spent() -> InvalidValue:
    """Make the error of a `NEXT` that would need more than 64 bits."""
    reason = f"is {MAX_INTEGER}, the highest there is, and cannot rise: give the user a lower one"
    return InvalidValue(Problem("epoch", "out_of_range", reason))


def check_query(query: UserQuery) -> None:
    """Raise `InvalidValue` unless a store can run this query."""
    if not isinstance(query, UserQuery):
        raise InvalidValue(Problem("query", "invalid", "must be a UserQuery"))
    _check(attrs.asdict(query), reasons.QUERY)


def check_page(limit: int, after: str | None, offset: int) -> None:
    """Raise `InvalidValue` unless ``limit`` is 1..1000, ``offset`` is 0 or more and ``after`` is text or None."""
    _refuse(
        {
            "limit": reasons.whole(1, MAX_LIMIT)(limit),
            "after": reasons.optional(reasons.text(MAX_ID))(after),
            "offset": reasons.whole(0, MAX_INTEGER)(offset),
        }
    )


def check_blackout(cutoff: datetime | None, *, required: bool = False) -> None:
    """Raise `InvalidValue` unless the cut-off is an aware datetime, or None if it is not ``required``."""
    reason = reasons.why_no_instant if required else reasons.optional(reasons.why_no_instant)
    _refuse({"cutoff": reason(cutoff)})


def check_entry(keys: Iterable[str], *, value: str = "", ttl: timedelta = timedelta(seconds=1)) -> None:
    """Raise `InvalidValue` unless a cache can keep this value under these keys for this lifetime."""
    if isinstance(keys, str) or not isinstance(keys, Iterable):
        raise InvalidValue(Problem("keys", "invalid", "must be a sequence of text"))
    why_no_key = reasons.filled(MAX_CACHE_KEY)
    for key in keys:
        _refuse({"key": why_no_key(key)})
    _refuse({"value": reasons.why_not_text(value, MAX_CACHE_VALUE), "ttl": why_no_lifetime(ttl)})


def check_step(by: int) -> None:
    """Raise `InvalidValue` unless a counter can move by this much, or reach it."""
    wrong = not reasons.is_whole(by, -MAX_INTEGER, MAX_INTEGER)
    _refuse({"by": "must be a whole number of at most 64 bits" if wrong else None})


def number(text: str) -> int | None:
    """Return the whole number that ``str`` writes as this text, or None: a counter goes on from such a number."""
    if len(text) > len(str(-MAX_INTEGER)):
        return None
    try:
        value = int(text)
    except ValueError:
        return None
    return value if str(value) == text and reasons.is_whole(value, -MAX_INTEGER, MAX_INTEGER) else None


def _no_text(value: object) -> str:
    return f"must be text, not {type(value).__name__}"


def _unknown(_: object) -> str:
    return "is not a field that can be given here"


def _check(values: Mapping[str, object], allowed: Mapping[str, Reason]) -> None:
    _refuse({field: allowed.get(field, _unknown)(value) for field, value in values.items()})


def _refuse(found: Mapping[str, str | None]) -> None:
    problems = [Problem(field, "invalid", reason) for field, reason in found.items() if reason]
    if problems:
        raise InvalidValue(*problems)
