"""Filters. What was given is only ever an operand of a comparison, so it means itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from authx_adapters.common.prefix import after_prefix
from authx_adapters.mongodb.documents import to_document
from authx_adapters.mongodb.keys import by_id
from authx_core.domain import UserFields, UserId, UserQuery, limits


def unchanged(user_id: UserId, expected: UserFields | None, *, raised: bool = False) -> dict[str, Any]:
    """Find this user while every expected field equals, and the epoch can be raised if it is to be."""
    conditions = {name: {"$eq": value} for name, value in to_document(expected or {}).items()}
    if raised:
        conditions["epoch"] = {**conditions.get("epoch", {}), "$lt": limits.MAX_INTEGER}
    return by_id(user_id) | conditions


def matching(query: UserQuery, after: UserId | None = None) -> dict[str, Any]:
    """Find those for whom all of a query holds, and whose id comes after this one."""
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
    """Leave out whose id is no text, unless an index of users' own fields is asked: it holds hardly any of them."""
    return {} if query.username_prefix or query.email_prefix or query.permission else {"$gte": ""}


def _beginning(prefix: str | None) -> dict[str, Any]:
    """Ask for a range of the index, which holds text as UTF-8 and so in the order of code points."""
    return {} if prefix is None else _given({"$gte": prefix, "$lt": after_prefix(prefix)})


def _containing(field: str, part: str | None) -> Iterable[dict[str, Any]]:
    """Compare bytes, not patterns: in UTF-8 a text is part of another exactly if its bytes are."""
    if part is not None:
        yield {"$gte": [{"$indexOfBytes": [f"${field}", {"$literal": part}]}, 0]}


def _given(operators: dict[str, Any]) -> dict[str, Any]:
    return {name: operand for name, operand in operators.items() if operand is not None}
