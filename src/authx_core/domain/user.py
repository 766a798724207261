"""The user, and what is said about one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias, TypedDict

import attrs

from authx_core.domain.next import Next
from authx_core.domain.secret import Secret, secret_or_none

UserId: TypeAlias = str
"""Opaque: UUIDv7 text unless the store decides otherwise."""

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


@attrs.frozen
class SocialIdentity:
    """A linked outside account: the provider's name and the provider's stable id for the person."""

    provider: str
    subject: str


@attrs.frozen(kw_only=True)
class User:
    """A user as stored. Nothing here changes; a store answers each change with a new value."""

    id: UserId
    email: str | None = None
    """As the person wrote it: where mail is sent."""
    email_key: str | None = None
    """Canonical, unique where not None; filled in by the core."""
    username: str | None = None
    username_key: str | None = None
    """Canonical, unique where not None; filled in by the core."""
    password_hash: Secret | None = attrs.field(default=None, converter=secret_or_none)
    """Plain text becomes a `Secret`, so that an adapter may hand over what its driver read."""
    active: bool = True
    """False: blacklisted."""
    confirmed: bool = False
    """The current e-mail address was proved to be the person's."""
    permissions: frozenset[str] = frozenset()
    identities: tuple[SocialIdentity, ...] = ()
    """(provider, subject) is unique over all users."""
    created_at: datetime
    """Aware, UTC, to the microsecond; so is `last_login`."""
    last_login: datetime | None = None
    extra: Mapping[str, JSON] = attrs.field(factory=dict[str, JSON])
    """The application's own fields: any JSON, returned equal."""
    epoch: int = 1
    """Tokens of an older epoch are void."""
    version: int = 1
    """One higher after every update."""


class _Fields(TypedDict, total=False):
    """The fields that `UserChanges` and `UserFields` type alike."""

    email: str | None
    email_key: str | None
    username: str | None
    username_key: str | None
    password_hash: Secret | None
    active: bool
    confirmed: bool
    permissions: frozenset[str]
    identities: tuple[SocialIdentity, ...]
    created_at: datetime
    last_login: datetime | None
    extra: Mapping[str, JSON]


class UserChanges(_Fields, total=False):
    """What an update sets: any fields of `User` but ``id`` and ``version``."""

    epoch: int | Next
    """`NEXT`: the stored one + 1."""


class UserFields(_Fields, total=False):
    """What an update expects to find: scalar fields and permissions, not ``extra`` or ``identities``."""

    epoch: int
    version: int


@attrs.frozen(kw_only=True)
class UserQuery:
    """Which users to find: everything given must hold. Text is canonical and literal."""

    id: UserId | None = None
    username_contains: str | None = None
    username_prefix: str | None = None
    email_contains: str | None = None
    email_prefix: str | None = None
    active: bool | None = None
    permission: str | None = None


@attrs.frozen(kw_only=True)
class NewUser:
    """A user to create. At least one of ``email``, ``username`` and ``identities`` is needed.

    Only ``email``, ``username``, ``password``, ``identities`` and ``extra`` may also come as a plain mapping,
    so that a request's body can never grant permissions or a confirmed address. The others are for your
    own code: imports, administrators, tests.
    """

    email: str | None = None
    username: str | None = None
    password: Secret | None = attrs.field(default=None, converter=secret_or_none)
    password_hash: Secret | None = attrs.field(default=None, converter=secret_or_none)
    """From elsewhere, of any scheme that the hasher accepts; upgraded when the person logs in."""
    active: bool = True
    confirmed: bool = False
    permissions: frozenset[str] = frozenset()
    identities: tuple[SocialIdentity, ...] = ()
    created_at: datetime | None = None
    """None: now."""
    last_login: datetime | None = None
    extra: Mapping[str, JSON] = attrs.field(factory=dict[str, JSON])
