"""A search in the words of its statement: which conditions it has, and the values that they compare with."""

from __future__ import annotations

import attrs

from authx_adapters.common.prefix import after_prefix
from authx_adapters.sqlalchemy.types import member
from authx_core.domain import UserId, UserQuery


def conditions(query: UserQuery, after: UserId | None = None) -> dict[str, object]:
    """Return a value for each condition, by its name in `Statements.search` and `Statements.count`."""
    given: dict[str, object] = attrs.asdict(query, filter=lambda _, value: value is not None)
    for field in ("username", "email"):
        prefix = given.get(f"{field}_prefix")
        if isinstance(prefix, str) and (before := after_prefix(prefix)) is not None:
            given[f"{field}_before"] = before
    if query.permission is not None:
        given["permission"] = member(query.permission)
    if after is not None:
        given["after"] = after
    return given
