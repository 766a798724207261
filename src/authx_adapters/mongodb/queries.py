"""Filters. A caller's text is always the operand of a comparison, so it is taken literally."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from authx_adapters.common.prefix import after_prefix
from authx_adapters.mongodb.documents import to_document
from authx_adapters.mongodb.keys import by_id
from authx_core.domain import UserFields, UserId, UserQuery, limits


def unchanged(user_id: UserId, expected: UserFields | None, *, raised: bool = False) -> dict[str, Any]:
    """Find this user if every expected field has the expected value and, if ``raised``, the epoch can be raised."""
    conditions = {name: {"$eq": value} for name, value in to_document(expected or {}).items()}
    if raised:
        conditions["epoch"] = {**conditions.get("epoch", {}), "$lt": limits.MAX_INTEGER}
    return by_id(user_id) | conditions


def matching(query: UserQuery, after: UserId | None = None) -> dict[str, Any]:
    """Find users who match all of a query, and whose id comes after this one."""
    contained = [
        *_containing("username_key", query.username_contains),
        *_containing("email_key", query.email_contains),
    ]
    conditions = {
        "_id": _given({"$eq": query.id, "$gt": after}) or _of_users(query),
        "username_key": _beginning(query.username_prefix),
        "email_key": _beginning(query.email_prefix),
        "active": _given({"$eq": query.active}),
        "permissions": _given({"$eq": query.permission}),
        "$expr": {"$and": contained} if contained else {},
    }
    return {name: condition for name, condition in conditions.items() if condition}


def _of_users(query: UserQuery) -> dict[str, Any]:
    """Leave out ids that are not text. An index of users' own fields has hardly any of them, and needs no condition."""
    return {} if query.username_prefix or query.email_prefix or query.permission else {"$gte": ""}


def _beginning(prefix: str | None) -> dict[str, Any]:
    """Ask for a range of the index, which keeps text as UTF-8 and thus in the order of code points."""
    return {} if prefix is None else _given({"$gte": prefix, "$lt": after_prefix(prefix)})


def _containing(field: str, part: str | None) -> Iterable[dict[str, Any]]:
    """Compare bytes, not patterns: in UTF-8 a text contains another if and only if its bytes do."""
    if part is not None:
        yield {"$gte": [{"$indexOfBytes": [f"${field}", {"$literal": part}]}, 0]}


def _given(operators: dict[str, Any]) -> dict[str, Any]:
    return {name: operand for name, operand in operators.items() if operand is not None}
