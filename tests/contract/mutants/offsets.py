"""Pages to which PostgreSQL, MariaDB and MongoDB skip within themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select

from authx_adapters.mongodb.documents import from_document
from authx_adapters.sqlalchemy.statements import Statements
from authx_core.domain import User, UserId, UserQuery, checks
from contract.mutants import on_mongodb_users, on_sql

EVERYBODY = UserQuery()


@on_sql.broken("U-055", "earlier users are counted, and then skipped by OFFSET", "postgres", "mariadb")
class CountsThenSkips(on_sql.Store):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        checks.check_page(limit, after, offset)
        if after is None or query != EVERYBODY:
            return await super().search(query, limit=limit, after=after, offset=offset)
        users = self.schema.users
        earlier = select(func.count()).select_from(users).where(users.c.id <= after)
        skipped: int = await self._run(lambda connection: connection.execute(earlier).scalar_one())
        return await super().search(query, limit=limit, offset=skipped + offset)


class WithoutIndex(Statements):
    def _conditions(self, given: frozenset[str]) -> Iterable[ColumnElement[bool]]:
        yield from super()._conditions(given - {"after"})
        if "after" in given:
            column = self._users.c.id
            yield func.concat(column, "") > bindparam("after", type_=column.type)


@on_sql.broken(
    "U-055", "the last id is compared with an expression, for which there is no index", "postgres", "mariadb"
)
class ComparesWithoutIndex(on_sql.Store):
    statements = WithoutIndex


@on_mongodb_users.broken("U-055", "earlier users are counted, and then skipped")
class CountsThenSkipsThem(on_mongodb_users.Store):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        checks.check_page(limit, after, offset)
        if after is None or query != EVERYBODY:
            return await super().search(query, limit=limit, after=after, offset=offset)
        skipped: int = await self.collection.count_documents({"_id": {"$lte": after}})
        return await super().search(query, limit=limit, offset=skipped + offset)


@on_mongodb_users.broken("U-055", "the last id is compared by $expr with an expression, for which there is no index")
class ComparesByExpression(on_mongodb_users.Store):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        checks.check_page(limit, after, offset)
        if after is None or query != EVERYBODY:
            return await super().search(query, limit=limit, after=after, offset=offset)
        beyond: dict[str, Any] = {"$expr": {"$gt": [{"$concat": ["$_id", ""]}, after]}}
        found = self.collection.find(beyond, sort=[("_id", 1)], skip=offset, limit=limit)
        return [from_document(each) for each in await found.to_list()]
