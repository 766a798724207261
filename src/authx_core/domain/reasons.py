"""Why a value cannot be taken: each function answers with a reason, or with None for a value that is right."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Final, TypeAlias, TypeGuard

from authx_core.domain.frozen import NotJSON, freeze
from authx_core.domain.limits import (
    MAX_EMAIL,
    MAX_EXTRA,
    MAX_HASH,
    MAX_ID,
    MAX_IDENTITIES,
    MAX_INTEGER,
    MAX_NAME,
    MAX_PERMISSIONS,
)
from authx_core.domain.next import NEXT
from authx_core.domain.secret import Secret
from authx_core.domain.user import SocialIdentity

Reason: TypeAlias = Callable[[object], str | None]
"""Says why a value cannot be taken, or None."""


def is_whole(value: object, low: int, high: int) -> bool:
    """Whether a value is a whole number in these bounds, both included; True and False are not numbers."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    """Whether a value is a mapping."""
    return isinstance(value, Mapping)


def is_set(value: object) -> TypeGuard[frozenset[object]]:
    """Whether a value is a frozenset."""
    return isinstance(value, frozenset)


def is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    """Whether a value is a list or a tuple."""
    return isinstance(value, list | tuple)


def why_not_text(value: object, limit: int) -> str | None:
    """Refuse a value of another type, more than ``limit`` characters, NUL and lone surrogates."""
    if not isinstance(value, str):
        return "must be text"
    if len(value) > limit:
        return f"must have at most {limit} characters"
    if "\0" in value:
        return "must not contain NUL"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "must not contain a lone surrogate"
    return None


def why_no_name(value: object) -> str | None:
    """Refuse anything but text of 1 to 255 characters: the name of a provider, a subject or a permission."""
    return filled(MAX_NAME)(value)


def why_no_instant(value: object) -> str | None:
    """Refuse anything but an aware datetime that is the same instant in UTC."""
    if not isinstance(value, datetime):
        return "must be a datetime"
    if value.utcoffset() is None:
        return "must be an aware datetime: a naive one is a different instant on every machine"
    try:
        value.astimezone(timezone.utc)
    except OverflowError:
        return "is out of range"
    return None


def why_no_permissions(value: object) -> str | None:
    """Refuse anything but a frozenset of at most 1,000 names."""
    if not is_set(value):
        return "must be a frozenset of text"
    if len(value) > MAX_PERMISSIONS:
        return f"must be at most {MAX_PERMISSIONS}"
    return next((f"each {reason}" for each in value if (reason := why_no_name(each))), None)


def why_no_identities(value: object) -> str | None:
    """Refuse anything but a tuple of at most 100 different social identities."""
    given = value if is_sequence(value) and not isinstance(value, list) else (value,)
    linked = [each for each in given if isinstance(each, SocialIdentity)]
    if len(linked) < len(given):
        return "must be a tuple of SocialIdentity"
    if len(linked) > MAX_IDENTITIES:
        return f"must be at most {MAX_IDENTITIES}"
    for each in linked:
        for part in (each.provider, each.subject):
            if reason := why_no_name(part):
                return f"each provider and subject {reason}"
    return None if len(set(linked)) == len(linked) else "must differ from each other"


def why_no_extra(value: object) -> str | None:
    """Refuse anything but a JSON object of at most 64 Ki characters and 32 levels, integers of at most 64 bits."""
    if not is_mapping(value):
        return "must be a mapping"
    try:
        size = len(json.dumps(freeze(value), ensure_ascii=False))
    except NotJSON as error:
        return str(error)
    return None if size <= MAX_EXTRA else f"must have at most {MAX_EXTRA} characters as JSON"


def why_no_boolean(value: object) -> str | None:
    """Refuse anything but True and False."""
    return None if isinstance(value, bool) else "must be True or False"


def why_no_number(value: object) -> str | None:
    """Refuse anything but a whole number from 1, of at most 64 bits: a version, or an epoch."""
    if not isinstance(value, int) or isinstance(value, bool):
        return "must be a whole number"
    return None if 1 <= value <= MAX_INTEGER else f"must be 1..{MAX_INTEGER}"


def text(limit: int) -> Reason:
    """Refuse as `why_not_text` does."""
    return lambda value: why_not_text(value, limit)


def filled(limit: int) -> Reason:
    """Refuse the empty text too."""
    return lambda value: "must not be empty" if value == "" else why_not_text(value, limit)


def whole(low: int, high: int) -> Reason:
    """Refuse anything but a whole number in these bounds."""
    return lambda value: None if is_whole(value, low, high) else f"must be a whole number, {low}..{high}"


def optional(reason: Reason) -> Reason:
    """Take None too."""
    return lambda value: None if value is None else reason(value)


def _secret(reason: Reason) -> Reason:
    return lambda value: reason(value.reveal()) if isinstance(value, Secret) else "must be a Secret"


def _next_or(reason: Reason) -> Reason:
    return lambda value: None if value is NEXT else reason(value)


USER: Final[Mapping[str, Reason]] = {
    "id": filled(MAX_ID),
    "email": optional(filled(MAX_EMAIL)),
    "email_key": optional(filled(MAX_EMAIL)),
    "username": optional(filled(MAX_NAME)),
    "username_key": optional(filled(MAX_NAME)),
    "password_hash": optional(_secret(filled(MAX_HASH))),
    "active": why_no_boolean,
    "confirmed": why_no_boolean,
    "permissions": why_no_permissions,
    "identities": why_no_identities,
    "created_at": why_no_instant,
    "last_login": optional(why_no_instant),
    "extra": why_no_extra,
    "epoch": why_no_number,
    "version": why_no_number,
}
"""For each field of `User`."""
EXPECTED: Final[Mapping[str, Reason]] = {
    field: reason for field, reason in USER.items() if field not in {"id", "extra", "identities"}
}
"""For each field of `UserFields`."""
CHANGES: Final[Mapping[str, Reason]] = {
    **{field: reason for field, reason in USER.items() if field not in {"id", "version"}},
    "epoch": _next_or(why_no_number),
}
"""For each field of `UserChanges`."""
QUERY: Final[Mapping[str, Reason]] = {
    "id": optional(text(MAX_ID)),
    "username_contains": optional(text(MAX_NAME)),
    "username_prefix": optional(text(MAX_NAME)),
    "email_contains": optional(text(MAX_EMAIL)),
    "email_prefix": optional(text(MAX_EMAIL)),
    "active": optional(why_no_boolean),
    "permission": optional(text(MAX_NAME)),
}
"""For each field of `UserQuery`."""
