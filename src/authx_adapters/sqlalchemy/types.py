"""Column types that give back exactly what was stored, and compare it exactly."""

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
"""MariaDB's collation by code points; `utf8mb4_bin` ignores spaces at the end, and the default far more."""


class Exact(TypeDecorator[str]):
    """Text that every database compares and sorts code point by code point; without a length, up to 16 MiB.

    A column of your own that refers to a user's id needs this type too, with the length 255: MariaDB links only
    columns of one collation.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        """Take text of at most ``length`` characters."""
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Name the collation where the default one is another."""
        kind: TypeEngine[str] = Text() if self.length is None else String(self.length)
        if dialect.name == "postgresql":
            kind = postgresql.VARCHAR(self.length, collation="C")
        elif dialect.name in {"mariadb", "mysql"}:
            options = {"charset": "utf8mb4", "collation": EXACT}
            kind = mysql.MEDIUMTEXT(**options) if self.length is None else mysql.VARCHAR(self.length, **options)
        return dialect.type_descriptor(kind)


class SecretText(TypeDecorator[Secret]):
    """A `Secret`, which the driver gets as text whose repr hides it: no parameter in a log or traceback shows it."""

    impl = Exact
    cache_ok = True

    def process_bind_param(self, value: Secret | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Reveal to the driver alone."""
        return masked(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Secret | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Conceal on the way out."""
        return None if value is None else Secret(value)


class Microseconds(TypeDecorator[datetime]):
    """An instant as whole microseconds since 1970.

    ``DateTime(timezone=True)`` loses offsets on SQLite and MariaDB, and MariaDB the microseconds too.
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
    """A set of text as a sorted JSON array: equal sets are equal texts, so a compare-and-set can go by them.

    Each member stands on a line of its own. JSON escapes line breaks within text, so a member is found by searching
    the text for a line that begins with it: see `member`.
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
    """Return the text that a column of `Permissions` contains exactly if it has this member."""
    return "\n" + json.dumps(permission, ensure_ascii=False)


class Identities(TypeDecorator[tuple[SocialIdentity, ...]]):
    """Social identities in their order, beside the user; the table of identities makes them unique."""

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
