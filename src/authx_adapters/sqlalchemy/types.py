"""Column types that return exactly what was stored, and compare exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import BigInteger, Dialect, String, Text
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from authx_adapters.common.encoding import instant, masked, microseconds, plain
from authx_core.domain import JSON, SocialIdentity
from authx_core.domain.secret import Secret

EXACT: Final = "utf8mb4_nopad_bin"
"""MariaDB's collation by code points: `utf8mb4_bin` ignores trailing spaces, and the default much more."""


class Exact(TypeDecorator[str]):
    """Text that every database compares and sorts by code points. Without a length, it has up to 16 MiB.

    A column of yours that refers to a user's id needs ``Exact(255)``: MariaDB's foreign keys need equal collations.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        """Take text of at most ``length`` characters."""
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Name the collation unless it is the default."""
        kind: TypeEngine[str] = Text() if self.length is None else String(self.length)
        if dialect.name == "postgresql":
            kind = postgresql.VARCHAR(self.length, collation="C")
        elif dialect.name in {"mariadb", "mysql"}:
            options = {"charset": "utf8mb4", "collation": EXACT}
            kind = mysql.MEDIUMTEXT(**options) if self.length is None else mysql.VARCHAR(self.length, **options)
        return dialect.type_descriptor(kind)


class SecretText(TypeDecorator[Secret]):
    """A `Secret`. The driver gets text with a repr that hides it in logs and tracebacks."""

    impl = Exact
    cache_ok = True

    def process_bind_param(self, value: Secret | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Reveal the secret to the driver."""
        return masked(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Secret | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Conceal the text."""
        return None if value is None else Secret(value)


class Microseconds(TypeDecorator[datetime]):
    """An instant as whole microseconds since 1970.

    ``DateTime(timezone=True)`` loses offsets on SQLite and MariaDB, and microseconds on MariaDB.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn an aware datetime into microseconds."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn microseconds into an aware UTC datetime."""
        return None if value is None else instant(value)


class Permissions(TypeDecorator[frozenset[str]]):
    """A set of text as a sorted JSON array: equal sets are equal texts, so a compare-and-set can compare them.

    Each member has a line of its own. JSON escapes line breaks in text, so a member is found by a search for a line
    that begins with it: see `member`.
    """

    impl = Exact
    cache_ok = True

    def process_bind_param(self, value: frozenset[str] | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn a set into JSON text."""
        return None if value is None else json.dumps(sorted(value), ensure_ascii=False, indent=0)

    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[str]:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn JSON text into a set."""
        return frozenset(json.loads(value or "[]"))


def member(permission: str) -> str:
    """Return the text that a column of `Permissions` contains if and only if it has this member."""
    return "\n" + json.dumps(permission, ensure_ascii=False)


class Identities(TypeDecorator[tuple[SocialIdentity, ...]]):
    """The social identities of a user in their order. The table of identities makes them unique."""

    impl = sa.JSON
    cache_ok = True

    def process_bind_param(
        self,
        value: tuple[SocialIdentity, ...] | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> list[list[str]]:
        """Turn identities into pairs."""
        return [[identity.provider, identity.subject] for identity in value or ()]

    def process_result_value(
        self,
        value: list[list[str]] | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> tuple[SocialIdentity, ...]:
        """Turn pairs into identities."""
        return tuple(SocialIdentity(provider, subject) for provider, subject in value or ())


class Extra(TypeDecorator[Mapping[str, JSON]]):
    """The application's own fields, from any kind of mapping."""

    impl = sa.JSON
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, JSON] | None, dialect: Dialect) -> JSON:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn mappings and sequences into dicts and lists."""
        return plain(value or {})
