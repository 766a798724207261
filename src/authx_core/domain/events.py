"""Events: frozen values, published after the change is stored.

A token travels as a `Secret`, and a user as a `UserView`: without hash, canonical keys and epoch. The hook
``on_user_created`` of `UsersRepo` receives `UserCreated`, and so on.
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
    """Its name on the wire and in the hook ``on_<name>``. An event of an application has one made of its class name."""

    def __init_subclass__(cls) -> None:
        if "name" not in vars(cls):
            cls.name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


@attrs.frozen(kw_only=True)
class UserCreated(Event):
    """A user was created."""

    name = "user_created"
    user: UserView = attrs.field(converter=_view)


@attrs.frozen(kw_only=True)
class UserUpdated(Event):
    """`update` changed fields of a user. After a new address, warn ``before.email``: its owner may not know."""

    name = "user_updated"
    user: UserView = attrs.field(converter=_view)
    before: UserView = attrs.field(converter=_view)
    """The user as `update` found it."""
    fields: frozenset[str]


@attrs.frozen(kw_only=True)
class UserDeleted(Event):
    """A user was deleted."""

    name = "user_deleted"
    user_id: UserId


@attrs.frozen(kw_only=True)
class UsernameChanged(Event):
    """A user has another username."""

    name = "username_changed"
    user: UserView = attrs.field(converter=_view)
    old: str | None
    new: str


@attrs.frozen(kw_only=True)
class LoggedIn(Event):
    """A user logged in with the right password."""

    name = "logged_in"
    user: UserView = attrs.field(converter=_view)
    ip: str | None = attrs.field(converter=_shown_or_none)


@attrs.frozen(kw_only=True)
class LoginFailed(Event):
    """The login or the password was wrong, the user is blacklisted, or logging in is locked.

    The login as it was typed is left out: people type passwords into name fields.
    """

    name = "login_failed"
    user_id: UserId | None
    """None if the login is unknown, and while logging in is locked: then no user is looked up."""
    ip: str | None = attrs.field(converter=_shown_or_none)
    reason: Literal["unknown", "password", "blacklisted", "locked"]


@attrs.frozen(kw_only=True)
class BruteForceDetected(Event):
    """A client or a login went over its limit.

    It is published once for each lock; `LoginFailed` is published for each refused attempt.
    """

    name = "brute_force_detected"
    ip: str | None = attrs.field(converter=_shown_or_none)
    login: str | None
    """The canonical key that is locked; None if the client is locked, or if no user could have this login."""


@attrs.frozen(kw_only=True)
class EmailConfirmationRequested(Event):
    """A confirmation link was requested: send ``token`` to ``user.email``, never to the address as it was typed."""

    name = "email_confirmation_requested"
    user: UserView = attrs.field(converter=_view)
    token: Secret


@attrs.frozen(kw_only=True)
class EmailConfirmed(Event):
    """The address of a user was confirmed."""

    name = "email_confirmed"
    user: UserView = attrs.field(converter=_view)


@attrs.frozen(kw_only=True)
class PasswordResetRequested(Event):
    """A reset link was requested: send ``token`` to ``user.email``, which is never None here."""

    name = "password_reset_requested"
    user: UserView = attrs.field(converter=_view)
    token: Secret


@attrs.frozen(kw_only=True)
class PasswordChanged(Event):
    """A user has another password; every token issued before is void."""

    name = "password_changed"
    user: UserView = attrs.field(converter=_view)
    how: Literal["set", "reset"]
    """By `set_password`, or by a link through `reset_password`."""


@attrs.frozen(kw_only=True)
class TokenRefused(Event):
    """A link did not work: its token is unknown, expired or used, or the user has changed since."""

    name = "token_refused"
    purpose: Literal["confirm", "reset"]
    user_id: UserId | None
    """The user of the link, if it is still known."""


@attrs.frozen(kw_only=True)
class SocialLinked(Event):
    """An outside account was linked to a user, who can log in by it from now on."""

    name = "social_linked"
    user: UserView = attrs.field(converter=_view)
    identity: SocialIdentity


@attrs.frozen(kw_only=True)
class SocialUnlinked(Event):
    """An outside account was unlinked from a user."""

    name = "social_unlinked"
    user: UserView = attrs.field(converter=_view)
    identity: SocialIdentity


@attrs.frozen(kw_only=True)
class UserKicked(Event):
    """Every token of a user issued so far is void."""

    name = "user_kicked"
    user: UserView = attrs.field(converter=_view)


@attrs.frozen(kw_only=True)
class UserBlacklisted(Event):
    """A user was deactivated; every token issued before is void."""

    name = "user_blacklisted"
    user: UserView = attrs.field(converter=_view)


@attrs.frozen(kw_only=True)
class UserReinstated(Event):
    """A blacklisted user was activated again."""

    name = "user_reinstated"
    user: UserView = attrs.field(converter=_view)


@attrs.frozen(kw_only=True)
class PermissionsChanged(Event):
    """A user has other permissions; every token issued before is void."""

    name = "permissions_changed"
    user: UserView = attrs.field(converter=_view)
    old: frozenset[str]
    new: frozenset[str]


@attrs.frozen(kw_only=True)
class BlackoutSet(Event):
    """Everybody's tokens issued at or before ``cutoff`` are void."""

    name = "blackout_set"
    cutoff: datetime


@attrs.frozen(kw_only=True)
class BlackoutLifted(Event):
    """The blackout was lifted: the tokens that it voided are good again while they live."""

    name = "blackout_lifted"
