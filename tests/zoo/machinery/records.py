"""A user as one document: its text, its keys, its expected fields, and the queries that match it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import attrs

from authx_core.domain import SocialIdentity, User, UserFields, UserQuery

Key = tuple[str, str, str]
"""A value that only one user may have: its kind as `IdentifierTaken` names it, the provider if any, and the text."""


def dump(user: User) -> str:
    """Turn a user into JSON text; instants become UTC."""
    fields = attrs.asdict(user, recurse=False) | {
        "password_hash": user.password_hash and user.password_hash.reveal(),
        "permissions": sorted(user.permissions),
        "identities": [[each.provider, each.subject] for each in user.identities],
        "created_at": _utc(user.created_at),
        "last_login": user.last_login and _utc(user.last_login),
    }
    return json.dumps(fields, ensure_ascii=False, default=dict)


def load(text: str) -> User:
    """Turn JSON text back into the user."""
    fields: dict[str, Any] = json.loads(text)
    last_login: str | None = fields["last_login"]
    return User(
        **fields
        | {
            "permissions": frozenset(fields["permissions"]),
            "identities": tuple(SocialIdentity(*pair) for pair in fields["identities"]),
            "created_at": datetime.fromisoformat(fields["created_at"]),
            "last_login": None if last_login is None else datetime.fromisoformat(last_login),
        }
    )


def keys(user: User) -> set[Key]:
    """Return the user's keys."""
    named = (("email", user.email_key), ("username", user.username_key))
    mine = {(kind, "", key) for kind, key in named if key is not None}
    return mine | {("identities", each.provider, each.subject) for each in user.identities}


def fits(user: User, expected: UserFields | None) -> bool:
    """Return whether every expected field has the expected value."""
    fields: Mapping[str, Any] = expected or {}
    return all(getattr(user, name) == value for name, value in fields.items())


def finds(query: UserQuery, user: User) -> bool:
    """Return whether a user matches a query."""
    return (
        query.id in {None, user.id}
        and query.active in {None, user.active}
        and (query.permission is None or query.permission in user.permissions)
        and all(
            part is None or (key is not None and part in key)
            for part, key in ((query.username_contains, user.username_key), (query.email_contains, user.email_key))
        )
        and all(
            part is None or (key is not None and key.startswith(part))
            for part, key in ((query.username_prefix, user.username_key), (query.email_prefix, user.email_key))
        )
    )


def _utc(instant: datetime) -> str:
    return instant.astimezone(timezone.utc).isoformat(timespec="microseconds")
