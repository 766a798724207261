"""The tables."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy.schema import CreateIndex, CreateTable

from authx_adapters.sqlalchemy.types import Extra, Identities, MaskedText, Microseconds, Permissions
from authx_core.domain import checks


class Schema:
    """Three tables in one `MetaData`: an application's own, for Alembic to migrate, or a new one."""

    def __init__(self, metadata: MetaData | None = None, *, prefix: str = "authx_") -> None:
        """Declare the tables ``{prefix}users``, ``{prefix}identities`` and ``{prefix}blackout`` in ``metadata``."""
        self.metadata = MetaData() if metadata is None else metadata
        self.users = Table(
            f"{prefix}users",
            self.metadata,
            Column("id", String(checks.MAX_ID), primary_key=True),
            Column("email", String(checks.MAX_EMAIL)),
            Column("email_key", String(checks.MAX_EMAIL)),
            Column("username", String(checks.MAX_NAME)),
            Column("username_key", String(checks.MAX_NAME)),
            Column("password_hash", MaskedText(checks.MAX_HASH)),
            Column("active", Boolean, nullable=False),
            Column("confirmed", Boolean, nullable=False),
            Column("permissions", Permissions, nullable=False),
            Column("identities", Identities, nullable=False),
            Column("created_at", Microseconds, nullable=False),
            Column("last_login", Microseconds),
            Column("extra", Extra, nullable=False),
            Column("epoch", BigInteger, nullable=False),
            Column("version", BigInteger, nullable=False),
            Index(f"{prefix}users_email_key", "email_key", unique=True),
            Index(f"{prefix}users_username_key", "username_key", unique=True),
        )
        self.identities = Table(
            f"{prefix}identities",
            self.metadata,
            Column("provider", String(checks.MAX_NAME), primary_key=True),
            Column("subject", String(checks.MAX_NAME), primary_key=True),
            Column("user_id", String(checks.MAX_ID), ForeignKey(self.users.c.id), nullable=False),
            Index(f"{prefix}identities_user_id", "user_id"),
        )
        self.blackout = Table(
            f"{prefix}blackout",
            self.metadata,
            Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
            Column("cutoff", Microseconds, nullable=False),
        )

    def create(self, connection: Connection) -> None:
        """Create what is missing; any number of processes may do so at a time."""
        for table in (self.users, self.identities, self.blackout):
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))
