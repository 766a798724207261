"""User stores on PostgreSQL and MariaDB with one column each that stores or compares wrongly."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, ClassVar

from sqlalchemy import Dialect, Select, bindparam, func, select
from sqlalchemy.dialects import mysql, postgresql

from authx_adapters.sqlalchemy import Schema
from authx_adapters.sqlalchemy.rows import raw
from authx_adapters.sqlalchemy.rows import user as decoded
from authx_adapters.sqlalchemy.statements import Statements
from authx_adapters.sqlalchemy.types import Microseconds
from authx_core.domain import User, checks
from zoo.servers.on_sql import Store, broken


class WithoutZone(Microseconds):
    """Stores aware datetimes as a column without time zone does."""

    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return super().process_bind_param(value and value.replace(tzinfo=timezone.utc), dialect)


class WholeSeconds(Microseconds):
    """Stores datetimes as a DATETIME without fsp does."""

    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return super().process_bind_param(value and value.replace(microsecond=0), dialect)


@broken("U-001", "instants lose their offset, as in a column without time zone", "postgres")
class KeepsLocalTime(Store):
    def tables(self, prefix: str) -> Schema:
        schema = super().tables(prefix)
        schema.users.c.created_at.type = WithoutZone()
        return schema


@broken("U-001", "instants keep whole seconds, as in a DATETIME without fsp", "mariadb")
class DropsMicroseconds(Store):
    def tables(self, prefix: str) -> Schema:
        schema = super().tables(prefix)
        schema.users.c.created_at.type = WholeSeconds()
        return schema


@broken("U-071", "extra is JSONB, which changes numbers", "postgres")
class KeepsJSONB(Store):
    def tables(self, prefix: str) -> Schema:
        schema = super().tables(prefix)
        schema.users.c.extra.type = postgresql.JSONB()
        return schema


class Lowered(Statements):
    def __init__(self, schema: Schema, dialect: str) -> None:
        super().__init__(schema, dialect)
        self.by_username: Select[Any] = select(*raw(self._users)).where(
            func.lower(self._users.c.username_key) == func.lower(bindparam("value"))
        )


@broken("U-010", "usernames are compared in lower case", "postgres")
class LowersUsernames(Store):
    statements = Lowered

    async def _find(self, statement: Select[Any], **key: str) -> User | None:
        if not all(checks.is_text(part) for part in key.values()):
            return None
        rows = await self._run(lambda connection: connection.execute(statement.limit(1), key).all())
        return decoded(rows[0]) if rows else None


def collated(schema: Schema, collation: str | None) -> Schema:
    """Give the key columns another collation."""
    for table, names in ((schema.users, ("email_key", "username_key")), (schema.identities, ("provider", "subject"))):
        for name in names:
            table.c[name].type = mysql.VARCHAR(255, charset="utf8mb4", collation=collation)
    return schema


@broken("U-010", "keys follow the default collation, which merges case and accents", "mariadb")
class FollowsTheDefaultCollation(Store):
    def tables(self, prefix: str) -> Schema:
        return collated(super().tables(prefix), "utf8mb4_general_ci")


@broken("U-011", "keys follow utf8mb4_bin, which ignores spaces at the end", "mariadb")
class PadsKeys(Store):
    def tables(self, prefix: str) -> Schema:
        return collated(super().tables(prefix), "utf8mb4_bin")


@broken("U-070", "names are cut at 191 characters, as by a server outside strict mode", "mariadb")
class CutsNames(Store):
    engine: ClassVar[dict[str, Any]] = {"connect_args": {"init_command": "SET sql_mode = ''"}}

    def tables(self, prefix: str) -> Schema:
        schema = super().tables(prefix)
        for name in ("username", "username_key"):
            schema.users.c[name].type = mysql.VARCHAR(191, charset="utf8mb4", collation="utf8mb4_nopad_bin")
        return schema
