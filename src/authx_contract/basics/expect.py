"""The assertions of the clauses."""

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
    """Raise `Violation` with this message unless the condition holds."""
    if not condition:
        raise Violation(meaning)


def same(actual: object, expected: object, meaning: str) -> None:
    """Raise `Violation` unless both are equal; for two users, it shows the fields that differ."""
    if actual == expected:
        return
    if type(actual) is type(expected) is User:
        fields = [name for name in attrs.fields_dict(User) if getattr(actual, name) != getattr(expected, name)]
        expected, actual = ({name: getattr(user, name) for name in fields} for user in (expected, actual))
    raise Violation(meaning, expected=expected, observed=actual)


def same_user(actual: User | None, expected: User, meaning: str) -> None:
    """Raise `Violation` unless both are equal in every field, including the exact JSON and the UTC offset."""
    same(actual, expected, meaning)
    if actual is None:
        return
    same(_json(actual), _json(expected), f"{meaning}: extra is not the same JSON")
    for instant in (actual.created_at, actual.last_login):
        if instant is not None:
            utc(instant, meaning)
    same(isinstance(actual.identities, tuple), True, f"{meaning}: identities are not a tuple")
    same(isinstance(actual.permissions, frozenset), True, f"{meaning}: permissions are not a frozenset")
    for name in ("active", "confirmed"):
        same(isinstance(getattr(actual, name), bool), True, f"{meaning}: {name} is not a bool")


def utc(instant: datetime, meaning: str) -> None:
    """Raise `Violation` unless a datetime is aware and its offset is zero."""
    same(instant.utcoffset(), timedelta(0), f"{meaning}: {instant!r} is not UTC")


async def raised(kind: type[E], call: Awaitable[object], meaning: str) -> E:
    """Return the error of this kind that a call raises; any other end raises `Violation`."""
    try:
        result = await call
    except kind as error:
        return error
    except AuthxError as error:
        raise Violation(meaning, expected=kind.__name__, raised=f"{type(error).__name__}: {error}") from error
    raise Violation(meaning, expected=kind.__name__, returned=result)


def _json(user: User) -> str:
    return json.dumps(user.extra, sort_keys=True, default=dict)
