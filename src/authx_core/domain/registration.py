"""Turn input into a new user that can be stored, or into a list of every problem."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from authx_core.domain import reasons
from authx_core.domain.errors import InvalidPassword, InvalidUser, Problem
from authx_core.domain.password import PreparedPassword, accepted
from authx_core.domain.profile import NOBODY, OPEN, is_nobody, not_open, read_fields, read_permissions
from authx_core.domain.secret import Secret
from authx_core.domain.user import NewUser, User, UserChanges, UserId

if TYPE_CHECKING:
    from authx_core.domain.policy import Policy

_HIDDEN: Final = frozenset({"password", "password_hash"})
_GRANTED: Final = ("password_hash", "active", "confirmed", "identities", "created_at", "last_login")


@attrs.frozen
class Registration:
    """A new user whose every field is checked; only the id, the time and the hash of a password are missing."""

    new: NewUser
    fields: UserChanges
    """The open fields with their canonical keys, and the permissions."""
    password: PreparedPassword | None

    def user(self, user_id: UserId, now: datetime, password_hash: Secret | None) -> User:
        """Return the user to store."""
        fields: dict[str, Any] = {**self.fields}
        return User(
            id=user_id,
            password_hash=password_hash,
            active=self.new.active,
            confirmed=self.new.confirmed,
            identities=self.new.identities,
            created_at=self.new.created_at or now,
            last_login=self.new.last_login,
            **fields,
        )


def read_new_user(given: object, policy: Policy) -> Registration:
    """Check a `NewUser`, or a plain mapping of its open fields and a password.

    Raises `InvalidUser` with every problem.
    """
    new, problems = _as_new_user(given)
    fields, wrong = read_fields({name: getattr(new, name) for name in OPEN}, policy)
    problems += wrong
    if is_nobody(new):
        problems.append(NOBODY)
    if new.password is not None and new.password_hash is not None:
        problems.append(Problem("password_hash", "contradiction", "must not come with a password"))
    password = None
    if new.password is not None:
        names = (fields.get(name) for name in ("email", "email_key", "username", "username_key"))
        try:
            password = accepted(new.password, policy, names=cast("tuple[str | None, ...]", names))
        except InvalidPassword as error:
            problems += error.problems
    problems += _not_granted(new)
    try:
        fields["permissions"] = read_permissions(new.permissions)
    except InvalidUser as error:
        problems += error.problems
    if problems:
        raise InvalidUser(*problems)
    return Registration(new, fields, password)


def concealed(given: Mapping[str, object]) -> Mapping[str, object]:
    """Wrap the secrets of a plain mapping, of any type and even if it is refused, for tracebacks with locals."""
    if not isinstance(given, Mapping):
        return given
    hidden = {name: Secret(cast("str", given[name])) for name in _HIDDEN if given.get(name) is not None}
    return {**given, **hidden}


def _as_new_user(given: object) -> tuple[NewUser, list[Problem]]:
    if isinstance(given, NewUser):
        return given, []
    if not reasons.is_mapping(given):
        raise InvalidUser(Problem("", "invalid", "must be a NewUser or a mapping of its fields"))
    allowed = {*OPEN, "password"}
    known: dict[str, Any] = {str(name): value for name, value in given.items() if name in allowed}
    return NewUser(**known), [not_open(name) for name in given if name not in allowed]


def _not_granted(new: NewUser) -> list[Problem]:
    """List the problems of the fields that only the application's own code sets."""
    granted = {name: getattr(new, name) for name in _GRANTED if name != "created_at" or new.created_at is not None}
    return [
        Problem(name, "invalid", reason) for name, value in granted.items() if (reason := reasons.USER[name](value))
    ]
