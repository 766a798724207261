"""User stores on PostgreSQL and MariaDB with one wrong statement for `NEXT` each."""

from __future__ import annotations

from typing import Any

import attrs
from sqlalchemy import Update, update

from authx_adapters.sqlalchemy.statements import Statements
from authx_core.domain import NEXT, User, UserChanges, UserFields, UserId
from zoo.servers.on_sql import Store, broken


class ByTheVersion(Statements):
    def _update(self, changed: frozenset[str], expected: frozenset[str], *, raised: bool = False) -> Update:
        statement = super()._update(changed, expected, raised=raised)
        return statement.values(epoch=self._users.c.version + 1) if raised else statement


@broken("U-038", "`NEXT` is the version plus one", "postgres", "mariadb")
class NextIsTheVersion(Store):
    statements = ByTheVersion


class WithoutEnd(Statements):
    def _update(self, changed: frozenset[str], expected: frozenset[str], *, raised: bool = False) -> Update:
        statement = super()._update(changed - {"epoch"} if raised else changed, expected)
        return statement.values(epoch=self._users.c.epoch + 1) if raised else statement


@broken("U-038", "an epoch at its maximum is left to its column, and reported as an outage", "postgres", "mariadb")
class NextHasNoEnd(Store):
    statements = WithoutEnd


@broken("U-039", "the epoch rises in a second statement, after the version", "postgres", "mariadb")
class NextIsWrittenLater(Store):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        if changes.get("epoch") is not NEXT:
            return await super().update(user_id, changes, expected=expected)
        rest: Any = {name: value for name, value in changes.items() if value is not NEXT}
        after = await super().update(user_id, rest, expected=expected)
        c = self.schema.users.c
        rise = update(self.schema.users).where(c.id == user_id).values(epoch=c.epoch + 1)
        await self._run(lambda connection: connection.execute(rise))
        return attrs.evolve(after, epoch=after.epoch + 1)
