"""The tables of users and of a cache."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    inspect,
    text,
)
from sqlalchemy.schema import CreateIndex, CreateTable, conv

from authx_adapters.sqlalchemy.types import EXACT, Exact, Extra, Identities, Microseconds, Permissions, SecretText
from authx_core.domain import limits

_MARIADB: Final[dict[str, Any]] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("default_charset", "utf8mb4"), ("collate", EXACT))
}
_BESIDE_THE_FOREIGN_KEYS: Final[dict[str, Any]] = {"mysql_length": 64, "mariadb_length": 64}
"""MariaDB indexes a foreign key itself, and refuses to drop an index that a foreign key uses, as Alembic does before it
drops the table. It does not use an index of the first characters."""
_LOCK: Final = text("SELECT pg_advisory_xact_lock(7382019465)")
"""PostgreSQL's `IF NOT EXISTS` fails if two sessions create the same table at once. The number is arbitrary."""


class Tables:
    """Tables in one `MetaData`: an application's own, for Alembic to migrate, or a new one.

    Our names stay as they are (`conv`), whatever the naming convention of the `MetaData`. The schema of the `MetaData`
    and the `schema_translate_map` of a connection are respected.
    """

    def __init__(self, metadata: MetaData | None) -> None:
        self.metadata = MetaData() if metadata is None else metadata
        self.tables: list[Table] = []

    def declare(self, name: str, *parts: Column[Any] | Index) -> Table:
        """Declare a table, on MariaDB with our collation and engine."""
        table = Table(name, self.metadata, *parts, **_MARIADB)
        self.tables.append(table)
        return table

    def create(self, connection: Connection) -> None:
        """Create the missing tables and indexes. Any number of processes may do so at once."""
        if connection.dialect.name == "postgresql":
            connection.execute(_LOCK)
        inspector = inspect(connection)
        for table in self.tables:
            place = connection.schema_for_object(table)
            if not inspector.has_table(table.name, schema=place):
                connection.execute(CreateTable(table, if_not_exists=True))
            there = {index["name"] for index in inspect(connection).get_indexes(table.name, schema=place)}
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                if index.name not in there:
                    connection.execute(CreateIndex(index, if_not_exists=True))


class Schema(Tables):
    """The tables of users, of their social identities, and of the blackout."""

    def __init__(self, metadata: MetaData | None = None, *, prefix: str = "authx_") -> None:
        """Declare the tables ``{prefix}users``, ``{prefix}identities`` and ``{prefix}blackout`` in ``metadata``."""
        super().__init__(metadata)
        self.users = self.declare(
            f"{prefix}users",
            Column("id", Exact(limits.MAX_ID), primary_key=True),
            Column("email", Exact(limits.MAX_EMAIL)),
            Column("email_key", Exact(limits.MAX_EMAIL)),
            Column("username", Exact(limits.MAX_NAME)),
            Column("username_key", Exact(limits.MAX_NAME)),
            Column("password_hash", SecretText(limits.MAX_HASH)),
            Column("active", Boolean, nullable=False),
            Column("confirmed", Boolean, nullable=False),
            Column("permissions", Permissions, nullable=False),
            Column("identities", Identities, nullable=False),
            Column("created_at", Microseconds, nullable=False),
            Column("last_login", Microseconds),
            Column("extra", Extra, nullable=False),
            Column("epoch", BigInteger, nullable=False),
            Column("version", BigInteger, nullable=False),
            Index(conv(f"{prefix}users_email_key"), "email_key", unique=True),
            Index(conv(f"{prefix}users_username_key"), "username_key", unique=True),
        )
        owner = ForeignKey(self.users.c.id, ondelete="CASCADE", name=conv(f"{prefix}identities_user_id_fkey"))
        self.identities = self.declare(
            f"{prefix}identities",
            Column("provider", Exact(limits.MAX_NAME), primary_key=True),
            Column("subject", Exact(limits.MAX_NAME), primary_key=True),
            Column("user_id", Exact(limits.MAX_ID), owner, nullable=False),
            Index(conv(f"{prefix}identities_user_id"), "user_id", **_BESIDE_THE_FOREIGN_KEYS),
        )
        self.blackout = self.declare(
            f"{prefix}blackout",
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("cutoff", Microseconds, nullable=False),
        )


class CacheSchema(Tables):
    """The table of a cache."""

    def __init__(self, metadata: MetaData | None = None, *, prefix: str = "authx_") -> None:
        """Declare the table ``{prefix}cache`` in ``metadata``."""
        super().__init__(metadata)
        self.entries = self.declare(
            f"{prefix}cache",
            Column("key", Exact(limits.MAX_CACHE_KEY), primary_key=True),
            Column("value", Exact()),
            Column("number", BigInteger),
            Column("stamp", BigInteger, nullable=False),
            Column("deadline", Microseconds, nullable=False),
            Index(conv(f"{prefix}cache_deadline"), "deadline"),
        )
