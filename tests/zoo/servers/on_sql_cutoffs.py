"""User stores on PostgreSQL and MariaDB with one wrong statement for the blackout each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql

from authx_adapters.sqlalchemy.rows import cutoff as decoded
from authx_adapters.sqlalchemy.rows import raw
from authx_adapters.sqlalchemy.schema import Schema
from authx_adapters.sqlalchemy.statements import Statements, upsert
from authx_core.domain import checks
from zoo.servers.on_sql import Store, broken


class OverwritesBlackout(Statements):
    def __init__(self, schema: Schema, dialect: str) -> None:
        super().__init__(schema, dialect)
        row = {"id": 1, "cutoff": bindparam("cutoff", type_=schema.blackout.c.cutoff.type)}
        given = upsert(dialect, schema.blackout, [row], lambda _, new: {"cutoff": new["cutoff"]})
        self.black_out = given.returning(*raw(schema.blackout))


@broken("U-060", "an earlier cut-off overwrites a later one", "postgres", "mariadb")
class MovesBlackoutBack(Store):
    statements = OverwritesBlackout


@broken("U-060", "the blackout is read, compared, then overwritten", "postgres")
class ComparesBlackoutInPython(Store):
    statements = OverwritesBlackout

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        checks.check_blackout(cutoff)
        before = await self.get_blackout()
        if cutoff is None or before is None or cutoff > before:
            return await super().set_blackout(cutoff)
        return before


class ReturnsWhatMoved(Statements):
    def __init__(self, schema: Schema, dialect: str) -> None:
        super().__init__(schema, dialect)
        kept = schema.blackout.c
        into = postgresql.insert(schema.blackout).values(id=1, cutoff=bindparam("cutoff"))
        given = into.excluded.cutoff
        moved = into.on_conflict_do_update(index_elements=[kept.id], set_={"cutoff": given}, where=given > kept.cutoff)
        self.black_out: Any = moved.returning(*raw(schema.blackout))


@broken("U-063", "ON CONFLICT DO UPDATE … WHERE returns no row, and so None, if it changed none", "postgres")
class ReturnsOnlyWhatMoved(Store):
    statements = ReturnsWhatMoved

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        if cutoff is None:
            return await super().set_blackout(None)
        checks.check_blackout(cutoff)
        given = {"cutoff": cutoff}
        return await self._run(lambda connection: decoded(connection.execute(self._sql.black_out, given).one_or_none()))
