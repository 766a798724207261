"""What happened: frozen values, published after the change is stored.

A token travels as `Secret`, and a user as a `UserView`: without hash, canonical keys and epoch. Each class names the
method of `UsersRepo` that receives it: ``UserCreated`` goes to ``on_user_created``.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import ClassVar, Literal

import attrs

from authx_core.domain.secret import Secret
from authx_core.domain.showing import shown
from authx_core.domain.user import SocialIdentity, UserId, UserView


def _view(user: UserView) -> UserView:
    return user.view()


def _shown_or_none(value: object) -> str | None:
    """Escape and shorten an address that a client may have made up."""
    return None if value is None else shown(value)


@attrs.frozen(kw_only=True)
class Event:
    """Something that happened."""

    name: ClassVar[str] = "event"

    def __init_subclass__(cls) -> None:
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


@attrs.frozen(kw_only=True)
class UserCreated(Event):
    """A user came into being."""

    user: UserView = attrs.field(converter=_view)


@attrs.frozen(kw_only=True)
class UserUpdated(Event):
    """Fields of a user were changed by `update`. After a new address, warn ``before.email``: its owner may not know."""

    user: UserView = attrs.field(converter=_view)
    before: UserView = attrs.field(converter=_view)
    """The user as `update` found it."""
    fields: frozenset[str]


@attrs.frozen(kw_only=True)
class UserDeleted(Event):
    """A user is gone."""

    user_id: UserId


@attrs.frozen(kw_only=True)
class UsernameChanged(Event):
    """A user has another username."""

    user: UserView = attrs.field(converter=_view)
    old: str | None
    new: str


@attrs.frozen(kw_only=True)
class LoggedIn(Event):
    """A login and a password were right."""

    user: UserView = attrs.field(converter=_view)
    ip: str | None = attrs.field(converter=_shown_or_none)


@attrs.frozen(kw_only=True)
class LoginFailed(Event):
    """A login or a password was wrong, the user is blacklisted, or logging in is locked.

    What was typed as a login is not told: people type passwords into name fields.
    """

    user_id: UserId | None
    """None if nobody has the login, and while logging in is locked: then nobody is looked up."""
    ip: str | None = attrs.field(converter=_shown_or_none)
    reason: Literal["unknown", "password", "blacklisted", "locked"]


@attrs.frozen(kw_only=True)
class BruteForceDetected(Event):
    """A client or a login went over its limit; told once for each lock. See `LoginFailed` for each refused attempt."""

    ip: str | None = attrs.field(converter=_shown_or_none)
    login: str | None
    """The canonical key that is locked, or None if the client is, or if nobody could have that login."""


@attrs.frozen(kw_only=True)
class EmailConfirmationRequested(Event):
    """Send this token to ``user.email``, never to the address that was typed: the two may differ in spelling."""

    user: UserView = attrs.field(converter=_view)
    token: Secret


@attrs.frozen(kw_only=True)
class EmailConfirmed(Event):
    """The address of a user was proved."""

    user: UserView = attrs.field(converter=_view)


@attrs.frozen(kw_only=True)
class PasswordResetRequested(Event):
    """Send this token to ``user.email``, which is never None here."""

    user: UserView = attrs.field(converter=_view)
    token: Secret


@attrs.frozen(kw_only=True)
class PasswordChanged(Event):
    """A user has another password; all tokens issued before are void."""

    user: UserView = attrs.field(converter=_view)
    how: Literal["set", "reset"]
    """By `set_password`, or by a link through `reset_password`."""


@attrs.frozen(kw_only=True)
class TokenRefused(Event):
    """A link did not work: its token is unknown, expired or used, or what it was made for has changed."""

    purpose: Literal["confirm", "reset"]
    user_id: UserId | None
    """Whose link it was, if it is still known."""


@attrs.frozen(kw_only=True)
class SocialLinked(Event):
    """A user can log in by another outside account."""

    user: UserView = attrs.field(converter=_view)
    identity: SocialIdentity


@attrs.frozen(kw_only=True)
class SocialUnlinked(Event):
    """A user can no longer log in by this outside account."""

    user: UserView = attrs.field(converter=_view)
    identity: SocialIdentity


@attrs.frozen(kw_only=True)
class UserKicked(Event):
    """All tokens of a user issued so far are void."""

    user: UserView = attrs.field(converter=_view)


@attrs.frozen(kw_only=True)
class UserBlacklisted(Event):
    """A user was deactivated."""

    user: UserView = attrs.field(converter=_view)


@attrs.frozen(kw_only=True)
class UserReinstated(Event):
    """A blacklisted user is active again."""

    user: UserView = attrs.field(converter=_view)


@attrs.frozen(kw_only=True)
class PermissionsChanged(Event):
    """A user has other permissions."""

    user: UserView = attrs.field(converter=_view)
    old: frozenset[str]
    new: frozenset[str]


@attrs.frozen(kw_only=True)
class BlackoutSet(Event):
    """Tokens of everybody issued at or before ``cutoff`` are void."""

    cutoff: datetime


@attrs.frozen(kw_only=True)
class BlackoutLifted(Event):
    """The blackout is over."""
