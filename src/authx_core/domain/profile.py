"""Turn input into fields that can be stored, or into a list of every problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from authx_core.domain import reasons
from authx_core.domain.address import has_odd_dots, is_below, is_special
from authx_core.domain.canonical import email_key, email_text, username_key, username_text
from authx_core.domain.errors import InvalidUser, InvalidValue, Problem
from authx_core.domain.frozen import JSON
from authx_core.domain.letters import width
from authx_core.domain.limits import MAX_PERMISSIONS
from authx_core.domain.scripts import is_among, mixes_scripts, resembles
from authx_core.domain.user import NewUser, SocialIdentity, User, UserChanges

if TYPE_CHECKING:
    from authx_core.domain.policy import Policy

_PROTECTED: Final = frozenset({*reasons.USER, "password"})
_Reader = Callable[[object, "Policy"], UserChanges]


def _email(value: object, policy: Policy) -> UserChanges:
    if value is None:
        return {"email": None, "email_key": None}
    key = email_key(value)
    local, _, domain = key.rpartition("@")
    if is_special(domain) and not is_below(domain, policy.special_domains):
        reason = "has a domain that mail cannot reach from outside; Policy(special_domains=…) can allow it"
        raise InvalidValue(Problem("email", "special_domain", reason))
    if has_odd_dots(local) and not is_below(domain, policy.dotted_domains):
        reason = "must not have a dot first, last or beside another before the @; Policy(dotted_domains=…) can allow it"
        raise InvalidValue(Problem("email", "dots", reason))
    return {"email": email_text(value), "email_key": key}


def _username(value: object, policy: Policy) -> UserChanges:
    if value is None:
        return {"username": None, "username_key": None}
    key, shown = username_key(value), username_text(value)
    if width(key) < policy.username_min or len(key) > policy.username_max:
        low, high = policy.username_min, policy.username_max
        raise InvalidValue(Problem("username", "length", f"must have {low}..{high} characters"))
    if mixes_scripts(key, policy.username_scripts):
        reason = "mixes letters or digits of different scripts, which could pass for another name: use one script"
        raise InvalidValue(Problem("username", "mixed_scripts", reason))
    if is_among(key, policy.reserved_usernames):
        raise InvalidValue(Problem("username", "reserved", "is reserved"))
    if resembles(shown, policy.reserved_usernames):
        raise InvalidValue(Problem("username", "reserved", "looks like a reserved name: choose another"))
    return {"username": shown, "username_key": key}


def _extra(value: object, _: Policy) -> UserChanges:
    if reason := reasons.why_no_extra(value):
        raise InvalidValue(Problem("extra", "invalid", reason))
    return {"extra": cast("Mapping[str, JSON]", value)}


OPEN: Final[Mapping[str, _Reader]] = {
    "email": _email,
    "username": _username,
    "extra": _extra,
}
"""The fields that a plain mapping may set; the others are proved, computed or granted by operations of their own."""
NOBODY: Final = Problem("", "nobody", "needs an e-mail address, a username or a social identity")


def is_nobody(user: User | NewUser) -> bool:
    """Whether a user has neither an address nor a username nor a social identity."""
    return user.email is None and user.username is None and not user.identities


def read_changes(given: object, policy: Policy) -> UserChanges:
    """Turn a plain mapping into changes with their canonical keys. Raises `InvalidUser` with every problem."""
    if not reasons.is_mapping(given):
        raise InvalidUser(Problem("", "invalid", "must be a mapping of fields"))
    changes, problems = read_fields(given, policy)
    if problems:
        raise InvalidUser(*problems)
    return changes


def read_identity(provider: object, subject: object) -> SocialIdentity:
    """Turn a provider's name and its id for a person into an identity. Raises `InvalidUser` with every problem."""
    problems = [
        Problem(name, "invalid", reason)
        for name, value in (("provider", provider), ("sid", subject))
        if (reason := reasons.why_no_name(value))
    ]
    if problems:
        raise InvalidUser(*problems)
    return SocialIdentity(cast("str", provider), cast("str", subject))


def read_permissions(given: object) -> frozenset[str]:
    """Turn any collection of text into permissions. Raises `InvalidUser`."""
    permissions = _text_set(given)
    if permissions is None:
        raise InvalidUser(Problem("permissions", "invalid", "must be a collection of text"))
    if reason := reasons.why_no_permissions(permissions):
        raise InvalidUser(Problem("permissions", "invalid", reason))
    return permissions


def _text_set(given: object) -> frozenset[str] | None:
    if not isinstance(given, Iterable) or isinstance(given, str | bytes | Mapping):
        return None
    members = list(islice(cast("Iterable[object]", given), MAX_PERMISSIONS + 1))
    texts = frozenset(each for each in members if isinstance(each, str))
    return texts if all(isinstance(each, str) for each in members) else None


def read_fields(given: Mapping[object, object], policy: Policy) -> tuple[UserChanges, list[Problem]]:
    """Turn open fields into changes, and list every problem with the others."""
    changes: UserChanges = {}
    problems: list[Problem] = []
    for name, value in given.items():
        if not isinstance(name, str) or name not in OPEN:
            problems.append(not_open(name))
            continue
        try:
            changes |= OPEN[name](value, policy)
        except InvalidValue as error:
            problems += error.problems
    return changes, problems


def not_open(name: object) -> Problem:
    """Say why a field cannot be given."""
    if name in _PROTECTED:
        return Problem(str(name), "protected", "is set by an operation of its own")
    return Problem(name if isinstance(name, str) else "", "unknown", "is not a field of a user")
