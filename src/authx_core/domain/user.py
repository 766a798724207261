"""The user, its views, and the values that describe changes and queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence  # noqa: F401 # pyright: ignore[reportUnusedImport] - cattrs
from datetime import datetime
from typing import NotRequired, TypeAlias

import attrs
from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from authx_core.domain.frozen import JSON, FrozenDict, frozen_extra, frozen_set, frozen_tuple
from authx_core.domain.next import Next
from authx_core.domain.secret import Secret, secret_or_none

UserId: TypeAlias = str
"""Opaque: UUIDv7 text unless the store decides otherwise."""


@attrs.frozen
class SocialIdentity:
    """A linked outside account: the provider's name and the provider's stable id for the person."""

    provider: str
    subject: str


class PublicIdentity(TypedDict):
    """A linked outside account, ready for JSON."""

    provider: str
    subject: str


class PublicUser(TypedDict):
    """The result of `UserView.public`: the fields that a person may see of their own account, ready for JSON."""

    id: UserId
    email: str | None
    """As the person wrote it."""
    username: str | None
    active: bool
    """False: blacklisted."""
    confirmed: bool
    """The e-mail address was proved."""
    permissions: list[str]
    """Sorted."""
    created_at: str
    """ISO 8601 with offset, to the microsecond; so is ``last_login``."""
    last_login: str | None
    version: int
    """For ``update(…, version=…)``; the higher of two is the newer."""
    identities: NotRequired[list[PublicIdentity]]
    """Only if it was asked for."""
    extra: NotRequired[dict[str, object]]
    """Only the fields that were asked for, of those the user has."""


@attrs.frozen(kw_only=True)
class UserView:
    """A user as events carry it: without the hash, the canonical keys and the epoch."""

    id: UserId
    email: str | None = None
    """As the person wrote it: where mail is sent."""
    username: str | None = None
    active: bool = True
    """False: blacklisted."""
    confirmed: bool = False
    """The current e-mail address was proved to be the person's."""
    permissions: frozenset[str] = attrs.field(default=frozenset[str](), converter=frozen_set)
    identities: tuple[SocialIdentity, ...] = attrs.field(default=(), converter=frozen_tuple)
    """(provider, subject) is unique over all users."""
    created_at: datetime
    """Aware, UTC, to the microsecond; so is `last_login`."""
    last_login: datetime | None = None
    extra: Mapping[str, JSON] = attrs.field(factory=FrozenDict, converter=frozen_extra)
    """The application's own fields: any JSON, returned equal; dicts and lists that refuse to be changed."""
    version: int = 1
    """One higher after every update."""

    def view(self) -> UserView:
        """Return the user as events carry it."""
        return UserView(**{field.name: getattr(self, field.name) for field in attrs.fields(UserView)})

    def public(self, *, identities: bool = False, extra: Collection[str] = ()) -> PublicUser:
        """Return the fields that an application may show, ready for JSON.

        Social identities come only if ``identities`` is true, and of ``extra`` only the fields that are named.
        """
        public = PublicUser(
            id=self.id,
            email=self.email,
            username=self.username,
            active=self.active,
            confirmed=self.confirmed,
            permissions=sorted(self.permissions),
            created_at=self.created_at.isoformat(),
            last_login=None if self.last_login is None else self.last_login.isoformat(),
            version=self.version,
        )
        if identities:
            public["identities"] = [PublicIdentity(provider=i.provider, subject=i.subject) for i in self.identities]
        if extra:
            names = (extra,) if isinstance(extra, str) else extra
            public["extra"] = {name: self.extra[name] for name in names if name in self.extra}
        return public


@attrs.frozen(kw_only=True)
class User(UserView):
    """A user as stored: immutable at any depth. A store answers each change with a new value."""

    email_key: str | None = None
    """Canonical, unique where not None; filled in by the core."""
    username_key: str | None = None
    """Canonical, unique where not None; filled in by the core."""
    password_hash: Secret | None = attrs.field(default=None, converter=secret_or_none)
    """Plain text becomes a `Secret`, so that an adapter may pass text from its driver."""
    epoch: int = 1
    """Tokens of an older epoch are void."""

    @property
    def names(self) -> tuple[str | None, ...]:
        """The address and the username, as shown and as compared. A password must not be one of them."""
        return self.email, self.email_key, self.username, self.username_key


class _Fields(TypedDict, total=False):
    """The fields that `UserChanges` and `UserFields` share."""

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
    """The fields that an update sets: any of `User` but ``id`` and ``version``."""

    epoch: int | Next
    """`NEXT`: the stored one + 1."""


class UserFields(_Fields, total=False):
    """The values that an update expects: scalar fields and permissions, not ``extra`` or ``identities``."""

    epoch: int
    version: int


@attrs.frozen(kw_only=True)
class UserQuery:
    """The users to find: every given condition must hold. Text is canonical and literal."""

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

    Only ``email``, ``username``, ``password`` and ``extra`` may also come as a plain mapping, so that a request's
    body can never grant permissions, a confirmed address or somebody's social account. The others are for your own
    code: imports, administrators, tests.
    """

    email: str | None = None
    username: str | None = None
    password: Secret | None = attrs.field(default=None, converter=secret_or_none)
    password_hash: Secret | None = attrs.field(default=None, converter=secret_or_none)
    """A hash from another system, of any scheme that the hasher accepts; it is upgraded when the person logs in."""
    active: bool = True
    confirmed: bool = False
    permissions: frozenset[str] = attrs.field(default=frozenset[str](), converter=frozen_set)
    identities: tuple[SocialIdentity, ...] = attrs.field(default=(), converter=frozen_tuple)
    created_at: datetime | None = None
    """None: now."""
    last_login: datetime | None = None
    extra: Mapping[str, JSON] = attrs.field(factory=FrozenDict, converter=frozen_extra)
