"""What happened: frozen values, published after the change is stored.

A token travels as `Secret`. Each class names the method of `UsersRepo` that receives it: ``UserCreated`` goes to
``on_user_created``.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import ClassVar, Literal

import attrs

from authx_core.domain.secret import Secret
from authx_core.domain.user import User, UserId


@attrs.frozen(kw_only=True)
class Event:
    """Something that happened."""

    name: ClassVar[str] = "event"

    def __init_subclass__(cls) -> None:
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


@attrs.frozen(kw_only=True)
class UserCreated(Event):
    """A user came into being."""

    user: User


@attrs.frozen(kw_only=True)
class UserUpdated(Event):
    """Fields of a user were changed by `update`."""

    user: User
    fields: frozenset[str]


@attrs.frozen(kw_only=True)
class UserDeleted(Event):
    """A user is gone."""

    user_id: UserId


@attrs.frozen(kw_only=True)
class UsernameChanged(Event):
    """A user has another username."""

    user: User
    old: str | None
    new: str


@attrs.frozen(kw_only=True)
class LoggedIn(Event):
    """A login and a password were right."""

    user: User
    ip: str | None


@attrs.frozen(kw_only=True)
class LoginFailed(Event):
    """A login or a password was wrong, or the user is blacklisted.

    What was typed as a login is not told: people type passwords into name fields.
    """

    user_id: UserId | None
    ip: str | None
    reason: Literal["unknown", "password", "blacklisted"]


@attrs.frozen(kw_only=True)
class BruteForceDetected(Event):
    """A client or a login went over its limit; told once for each lock."""

    ip: str | None
    login: str | None
    """The canonical key that is locked, or None if the client is, or if nobody could have that login."""


@attrs.frozen(kw_only=True)
class EmailConfirmationRequested(Event):
    """Send this token to ``user.email``, never to the address that was typed: the two may differ in spelling."""

    user: User
    token: Secret


@attrs.frozen(kw_only=True)
class EmailConfirmed(Event):
    """The address of a user was proved."""

    user: User


@attrs.frozen(kw_only=True)
class PasswordResetRequested(Event):
    """Send this token to ``user.email``."""

    user: User
    token: Secret


@attrs.frozen(kw_only=True)
class PasswordChanged(Event):
    """A user has another password; all tokens issued before are void."""

    user: User


@attrs.frozen(kw_only=True)
class UserKicked(Event):
    """All tokens of a user issued so far are void."""

    user: User


@attrs.frozen(kw_only=True)
class UserBlacklisted(Event):
    """A user was deactivated."""

    user: User


@attrs.frozen(kw_only=True)
class UserReinstated(Event):
    """A blacklisted user is active again."""

    user: User


@attrs.frozen(kw_only=True)
class PermissionsChanged(Event):
    """A user has other permissions."""

    user: User
    old: frozenset[str]
    new: frozenset[str]


@attrs.frozen(kw_only=True)
class BlackoutSet(Event):
    """Tokens of everybody issued at or before ``cutoff`` are void."""

    cutoff: datetime


@attrs.frozen(kw_only=True)
class BlackoutLifted(Event):
    """The blackout is over."""
