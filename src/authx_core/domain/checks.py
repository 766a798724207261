"""What a port takes: sizes, types, text without NUL or lone surrogates, aware datetimes.

Adapters call these before they touch an engine, so that every engine refuses the same values with the same
`InvalidValue`, and none ever sees a value that it would cut, coerce or choke on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Final, TypeAlias, TypeGuard

import attrs

from authx_core.domain import frozen
from authx_core.domain.errors import InvalidValue, Problem
from authx_core.domain.frozen import NotJSON, freeze
from authx_core.domain.next import NEXT
from authx_core.domain.secret import Secret
from authx_core.domain.user import SocialIdentity, User, UserChanges, UserFields, UserQuery

MAX_ID: Final = 255
MAX_EMAIL: Final = 254
"""Octets of an address (RFC 5321, section 4.5.3.1.3 less the angle brackets)."""
MAX_NAME: Final = 255
MAX_HASH: Final = 1024
MAX_PERMISSIONS: Final = 1000
MAX_IDENTITIES: Final = 100
MAX_EXTRA: Final = frozen.MAX_EXTRA
MAX_LIMIT: Final = 1000
MAX_INTEGER: Final = frozen.MAX_INTEGER
MAX_CACHE_KEY: Final = 512
MAX_CACHE_VALUE: Final = 1024 * 1024
MAX_LIFETIME: Final = timedelta(days=3650)

Check: TypeAlias = Callable[[object], str | None]
"""Says why a value is refused, or None."""


def text(value: object, limit: int) -> str | None:
    """Refuse what is not text, is longer than ``limit`` characters, or holds NUL or a lone surrogate."""
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


def is_text(value: object, limit: int = MAX_NAME) -> bool:
    """Whether a value is text that an engine can be asked for; nobody is found by anything else."""
    return text(value, limit) is None


def check_text(**values: object) -> None:
    """Raise `InvalidValue` for each value that is not text: an id or a name of another type is a slip, not nobody's."""
    problems = [
        Problem(field, "invalid", f"must be text, not {type(value).__name__}")
        for field, value in values.items()
        if not isinstance(value, str)
    ]
    if problems:
        raise InvalidValue(*problems)


def is_whole(value: object, low: int, high: int) -> bool:
    """Whether a value is a whole number in these bounds, both included; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    """Whether a value is a mapping, of whatever."""
    return isinstance(value, Mapping)


def is_set(value: object) -> TypeGuard[frozenset[object]]:
    """Whether a value is a frozenset, of whatever."""
    return isinstance(value, frozenset)


def is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    """Whether a value is a list or a tuple, of whatever."""
    return isinstance(value, list | tuple)


def _text(limit: int) -> Check:
    return lambda value: text(value, limit)


def _filled(limit: int) -> Check:
    return lambda value: "must not be empty" if value == "" else text(value, limit)


def name(value: object) -> str | None:
    """Refuse what is not text of 1 to 255 characters, as providers, subjects and permissions have."""
    return _filled(MAX_NAME)(value)


def _optional(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _secret(check: Check) -> Check:
    return lambda value: check(value.reveal()) if isinstance(value, Secret) else "must be a Secret"


def _boolean(value: object) -> str | None:
    return None if isinstance(value, bool) else "must be True or False"


def _natural(value: object) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return "must be a whole number"
    return None if 1 <= value <= MAX_INTEGER else f"must be 1..{MAX_INTEGER}"


def _natural_or_next(value: object) -> str | None:
    return None if value is NEXT else _natural(value)


def instant(value: object) -> str | None:
    """Refuse what is not an aware datetime that is the same instant in UTC."""
    if not isinstance(value, datetime):
        return "must be a datetime"
    if value.utcoffset() is None:
        return "must be an aware datetime: a naive one is a different instant on every machine"
    try:
        value.astimezone(timezone.utc)
    except OverflowError:
        return "is out of range"
    return None


def permissions(value: object) -> str | None:
    """Refuse what is not a frozenset of at most 1,000 texts."""
    if not is_set(value):
        return "must be a frozenset of text"
    if len(value) > MAX_PERMISSIONS:
        return f"must be at most {MAX_PERMISSIONS}"
    return next((f"each {reason}" for each in value if (reason := name(each))), None)


def identities(value: object) -> str | None:
    """Refuse what is not a tuple of at most 100 different social identities."""
    given = value if is_sequence(value) and not isinstance(value, list) else (value,)
    linked = [each for each in given if isinstance(each, SocialIdentity)]
    if len(linked) < len(given):
        return "must be a tuple of SocialIdentity"
    if len(linked) > MAX_IDENTITIES:
        return f"must be at most {MAX_IDENTITIES}"
    for each in linked:
        for part in (each.provider, each.subject):
            if reason := name(part):
                return f"each provider and subject {reason}"
    return None if len(set(linked)) == len(linked) else "must differ from each other"


def extra(value: object) -> str | None:
    """Refuse what is not a JSON object of at most 64 Ki characters and 32 levels, integers of at most 64 bits."""
    if not is_mapping(value):
        return "must be a mapping"
    try:
        size = len(json.dumps(freeze(value), ensure_ascii=False))
    except NotJSON as error:
        return str(error)
    return None if size <= MAX_EXTRA else f"must have at most {MAX_EXTRA} characters as JSON"


USER: Final[Mapping[str, Check]] = {
    "id": _filled(MAX_ID),
    "email": _optional(_filled(MAX_EMAIL)),
    "email_key": _optional(_filled(MAX_EMAIL)),
    "username": _optional(_filled(MAX_NAME)),
    "username_key": _optional(_filled(MAX_NAME)),
    "password_hash": _optional(_secret(_filled(MAX_HASH))),
    "active": _boolean,
    "confirmed": _boolean,
    "permissions": permissions,
    "identities": identities,
    "created_at": instant,
    "last_login": _optional(instant),
    "extra": extra,
    "epoch": _natural,
    "version": _natural,
}
_EXPECTED: Final = {field: check for field, check in USER.items() if field not in {"id", "extra", "identities"}}
_CHANGES: Final = {
    **{field: check for field, check in USER.items() if field not in {"id", "version"}},
    "epoch": _natural_or_next,
}
_QUERY: Final[Mapping[str, Check]] = {
    "id": _optional(_text(MAX_ID)),
    "username_contains": _optional(_text(MAX_NAME)),
    "username_prefix": _optional(_text(MAX_NAME)),
    "email_contains": _optional(_text(MAX_EMAIL)),
    "email_prefix": _optional(_text(MAX_EMAIL)),
    "active": _optional(_boolean),
    "permission": _optional(_text(MAX_NAME)),
}


def _refuse(values: Mapping[str, object], checks: Mapping[str, Check], code: str = "invalid") -> None:
    problems = [
        Problem(field, code, reason)
        for field, value in values.items()
        if (reason := checks[field](value) if field in checks else "is not a field that can be given here")
    ]
    if problems:
        raise InvalidValue(*problems)


def check_user(user: User) -> None:
    """Raise `InvalidValue` unless a store can keep this user whole."""
    if not isinstance(user, User):
        raise InvalidValue(Problem("user", "invalid", "must be a User"))
    _refuse({field: getattr(user, field) for field in USER}, USER)


def check_update(changes: UserChanges, expected: UserFields | None) -> None:
    """Raise `InvalidValue` unless these fields can be changed, and those be compared."""
    for name, fields, checks in (("changes", changes, _CHANGES), ("expected", expected or {}, _EXPECTED)):
        if not isinstance(fields, Mapping):
            raise InvalidValue(Problem(name, "invalid", "must be a mapping"))
        _refuse(fields, checks)


def epoch_spent() -> InvalidValue:
    """Make the error of a `NEXT` that would need more than 64 bits."""
    reason = f"is {MAX_INTEGER}, the highest there is, and cannot rise: give the user a lower one"
    return InvalidValue(Problem("epoch", "out_of_range", reason))


def check_query(query: UserQuery) -> None:
    """Raise `InvalidValue` unless a store can run this query."""
    if not isinstance(query, UserQuery):
        raise InvalidValue(Problem("query", "invalid", "must be a UserQuery"))
    _refuse(attrs.asdict(query), _QUERY)


def check_page(limit: int, after: str | None, offset: int) -> None:
    """Raise `InvalidValue` unless ``limit`` is 1..1000, ``offset`` is 0 or more and ``after`` is text or None."""

    def whole(low: int, high: int) -> Check:
        return lambda value: None if is_whole(value, low, high) else f"must be a whole number, {low}..{high}"

    _refuse(
        {"limit": limit, "after": after, "offset": offset},
        {"limit": whole(1, MAX_LIMIT), "after": _optional(_text(MAX_ID)), "offset": whole(0, MAX_INTEGER)},
    )


def check_blackout(cutoff: datetime | None, *, required: bool = False) -> None:
    """Raise `InvalidValue` unless the cut-off is an aware datetime, or None where it may be."""
    _refuse({"cutoff": cutoff}, {"cutoff": instant if required else _optional(instant)})


def check_entry(keys: Iterable[str], *, value: str = "", ttl: timedelta = timedelta(seconds=1)) -> None:
    """Raise `InvalidValue` unless a cache can keep this value under these keys for this lifetime."""

    def lifetime(given: object) -> str | None:
        if not isinstance(given, timedelta):
            return "must be a timedelta"
        low, high = timedelta(milliseconds=1), MAX_LIFETIME
        return None if low <= given <= high else "must be from one millisecond to ten years"

    if isinstance(keys, str) or not isinstance(keys, Iterable):
        raise InvalidValue(Problem("keys", "invalid", "must be a sequence of text"))
    for key in keys:
        _refuse({"key": key}, {"key": _filled(MAX_CACHE_KEY)})
    _refuse({"value": value, "ttl": ttl}, {"value": _text(MAX_CACHE_VALUE), "ttl": lifetime})


def number(text: str) -> int | None:
    """Return the whole number that a text is as ``str`` writes it, or None: what a counter may go on from."""
    if len(text) > len(str(-MAX_INTEGER)):
        return None
    try:
        value = int(text)
    except ValueError:
        return None
    return value if str(value) == text and is_whole(value, -MAX_INTEGER, MAX_INTEGER) else None


def check_step(by: int) -> None:
    """Raise `InvalidValue` unless a counter can move by this much, or get there."""
    wrong = not is_whole(by, -MAX_INTEGER, MAX_INTEGER)
    _refuse({"by": by}, {"by": lambda _: "must be a whole number of at most 64 bits" if wrong else None})
