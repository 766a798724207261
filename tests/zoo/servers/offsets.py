"""Pages for which PostgreSQL, MariaDB and MongoDB have to skip all earlier users."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select

from authx_adapters.mongodb.documents import from_document
from authx_adapters.sqlalchemy.statements import Statements
from authx_contract.samples.users import EVERYBODY
from authx_core.domain import User, UserId, UserQuery, checks
from zoo.servers import on_mongodb_users, on_sql


class Walked:
    """Searches for everybody after an id go to `page`."""

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        checks.check_page(limit, after, offset)
        if after is not None and query == EVERYBODY:
            return await self.page(after, limit, offset)
        correct: Any = super()
        users: list[User] = await correct.search(query, limit=limit, after=after, offset=offset)
        return users

    async def page(self, after: UserId, limit: int, offset: int) -> list[User]:
        raise NotImplementedError


@on_sql.broken("U-055", "earlier users are counted, and then skipped by OFFSET", "postgres", "mariadb")
class CountsThenSkips(Walked, on_sql.Store):
    async def page(self, after: UserId, limit: int, offset: int) -> list[User]:
        users = self.schema.users
        earlier = select(func.count()).select_from(users).where(users.c.id <= after)
        skipped: int = await self._run(lambda connection: connection.execute(earlier).scalar_one())
        return await self.search(EVERYBODY, limit=limit, offset=skipped + offset)


class WithoutIndex(Statements):
    def _conditions(self, given: frozenset[str]) -> Iterable[ColumnElement[bool]]:
        yield from super()._conditions(given - {"after"})
        if "after" in given:
            column = self._users.c.id
            yield func.concat(column, "") > bindparam("after", type_=column.type)


@on_sql.broken("U-055", "the last id is compared with an expression, which has no index", "postgres", "mariadb")
class ComparesWithoutIndex(on_sql.Store):
    statements = WithoutIndex


@on_mongodb_users.broken("U-055", "earlier users are counted, and then skipped")
class CountsThenSkipsThem(Walked, on_mongodb_users.Store):
    async def page(self, after: UserId, limit: int, offset: int) -> list[User]:
        skipped: int = await self.collection.count_documents({"_id": {"$lte": after}})
        return await self.search(EVERYBODY, limit=limit, offset=skipped + offset)


@on_mongodb_users.broken("U-055", "the last id is compared by $expr with an expression, which has no index")
class ComparesByExpression(Walked, on_mongodb_users.Store):
    async def page(self, after: UserId, limit: int, offset: int) -> list[User]:
        beyond: dict[str, Any] = {"$expr": {"$gt": [{"$concat": ["$_id", ""]}, after]}}
        found = self.collection.find(beyond, sort=[("_id", 1)], skip=offset, limit=limit)
        return [from_document(each) for each in await found.to_list()]
