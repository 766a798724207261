"""Column types that give back exactly what was stored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Final

import sqlalchemy as sa
from sqlalchemy import BigInteger, Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from authx_core.domain import JSON, SocialIdentity
from authx_core.domain.secret import masked

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND: Final = timedelta(microseconds=1)


class Microseconds(TypeDecorator[datetime]):
    """An instant as whole microseconds since 1970: ``DateTime(timezone=True)`` loses offsets on SQLite."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn an aware datetime into microseconds."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn microseconds into an aware UTC datetime."""
        return None if value is None else _EPOCH + value * _MICROSECOND


class MaskedText(TypeDecorator[str]):
    """Text whose repr hides it, so that no row or parameter in a traceback shows it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Mask on the way in."""
        return masked(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Mask on the way out."""
        return masked(value)


class Permissions(TypeDecorator[frozenset[str]]):
    """A set of text as a sorted JSON array: equal sets are equal texts, so a compare-and-set can go by them."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: frozenset[str] | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn a set into JSON text."""
        return None if value is None else json.dumps(sorted(value), ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[str]:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn JSON text into a set."""
        return frozenset(json.loads(value or "[]"))


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
        return _plain(value or {})


def _plain(value: JSON) -> JSON:
    if isinstance(value, Mapping):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(member) for member in value]
    return value
