"""How clauses say what was observed and what it means."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import TypeVar

import attrs

from authx_contract.basics.violation import Violation
from authx_core.domain import AuthxError, User

E = TypeVar("E", bound=AuthxError)


def holds(condition: object, meaning: str) -> None:
    """Raise `Violation` with this meaning unless the condition holds."""
    if not condition:
        raise Violation(meaning)


def same(actual: object, expected: object, meaning: str) -> None:
    """Raise `Violation` unless both are equal; of two users it tells the fields that differ."""
    if actual == expected:
        return
    if type(actual) is type(expected) is User:
        fields = [name for name in attrs.fields_dict(User) if getattr(actual, name) != getattr(expected, name)]
        expected, actual = ({name: getattr(user, name) for name in fields} for user in (expected, actual))
    raise Violation(meaning, expected=expected, observed=actual)


def same_user(actual: User | None, expected: User, meaning: str) -> None:
    """Raise `Violation` unless both are equal in every field, the exact JSON and the UTC offset included."""
    same(actual, expected, meaning)
    if actual is None:
        return
    same(_json(actual), _json(expected), f"{meaning}: extra is not the same JSON")
    for instant in (actual.created_at, actual.last_login):
        if instant is not None:
            utc(instant, meaning)
    same(isinstance(actual.identities, tuple), True, f"{meaning}: identities are no tuple")
    same(isinstance(actual.permissions, frozenset), True, f"{meaning}: permissions are no frozenset")
    for name in ("active", "confirmed"):
        same(isinstance(getattr(actual, name), bool), True, f"{meaning}: {name} is no bool")


def utc(instant: datetime, meaning: str) -> None:
    """Raise `Violation` unless a datetime is aware and its offset is zero."""
    same(instant.utcoffset(), timedelta(0), f"{meaning}: {instant!r} is not UTC")


async def raised(kind: type[E], call: Awaitable[object], meaning: str) -> E:
    """Return the error of this kind that a call raises; anything else is an `Violation`."""
    try:
        result = await call
    except kind as error:
        return error
    except AuthxError as error:
        raise Violation(meaning, expected=kind.__name__, raised=f"{type(error).__name__}: {error}") from error
    raise Violation(meaning, expected=kind.__name__, returned=result)


def _json(user: User) -> str:
    return json.dumps(user.extra, sort_keys=True, default=dict)
