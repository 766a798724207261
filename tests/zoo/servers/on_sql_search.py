"""User stores on PostgreSQL and MariaDB that search or count wrongly."""

from __future__ import annotations

from typing import Any

import attrs
from sqlalchemy import Column, String, bindparam, literal
from sqlalchemy.ext.asyncio import AsyncEngine

from authx_adapters.sqlalchemy.statements import Statements
from authx_core.domain import User, UserId, UserQuery, checks
from zoo.servers.on_sql import Store, broken


class LikeStatements(Statements):
    def _contains(self, column: Column[Any], text: str) -> Any:
        return column.like(literal("%").concat(bindparam(text, type_=String())).concat(literal("%")))


@broken("U-052", "substrings are found by LIKE, unescaped", "postgres", "mariadb")
class SearchesByLike(Store):
    statements = LikeStatements


@broken("U-051", "a page begins at the offset at which the one before it ended", "postgres")
class PagesByOffset(Store):
    def __init__(self, client: AsyncEngine, prefix: str) -> None:
        super().__init__(client, prefix)
        self._ends: dict[UserId, int] = {}

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        start = self._ends.get(after, 0) if after else 0
        page = await super().search(
            query, limit=limit, after=None if after in self._ends else after, offset=start + offset
        )
        if page:
            self._ends[page[-1].id] = start + offset + len(page)
        return page


@broken("U-056", "`after` is looked up, and the search ends if that user is gone", "postgres")
class LooksForThePlace(Store):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        checks.check_page(limit, after, offset)
        if after is not None and await self.get(after) is None:
            return []
        return await super().search(query, limit=limit, after=after, offset=offset)


@broken("U-050", "the next page begins with the last user of this one", "postgres")
class RepeatsTheLast(Store):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        page = await super().search(query, limit=limit, after=after, offset=offset)
        last = await self.get(after) if after and page else None
        return [last, *page][:limit] if last and limit > 1 else page


@broken("U-054", "a count ignores the filter by permission", "postgres")
class CountsWithoutPermission(Store):
    async def count(self, query: UserQuery, /) -> int:
        checks.check_query(query)
        return await super().count(attrs.evolve(query, permission=None))
