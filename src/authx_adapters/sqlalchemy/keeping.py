"""Checks that writes are kept: one connection writes a meaningless row, and another one looks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Select, StaticPool, Table, delete, insert, select
from sqlalchemy.exc import DBAPIError

from authx_adapters.sqlalchemy.errors import code
from authx_adapters.sqlalchemy.second import second_connection
from authx_core.domain import Problem

_READ_ONLY: Final = frozenset({"25006", 1290, 1792, 1836, "attempt to write a readonly database"})
"""PostgreSQL's SQLSTATE, MariaDB's numbers (an option of the server, a transaction, a mode), SQLite's words."""
_NOT_ALLOWED: Final = frozenset({"42501", 1142, 1143})
"""PostgreSQL: insufficient privilege. MariaDB: command denied on a table, on a column."""


def lost(connection: Connection, table: Table, row: Mapping[str, Any]) -> Iterator[Problem]:
    """Write a row and remove it; yield the reasons why that fails or others do not see it. Many may do so at once."""
    (key,) = table.primary_key.columns
    mine = key == row[key.name]
    try:
        connection.execute(insert(table).values(row))
    except DBAPIError as error:
        if code(error) in _READ_ONLY:
            yield Problem("server", "read_only", "takes no writes: connect to the primary, with a role that may write")
        elif code(error) in _NOT_ALLOWED:
            reason = f"cannot be written by this role: GRANT SELECT, INSERT, UPDATE, DELETE ON {table.name}"
            yield Problem(table.name, "not_allowed", reason)
        else:
            raise
        return
    try:
        visible = _is_visible(connection, select(key).where(mine))
    finally:
        connection.execute(delete(table).where(mine))
    if not visible:
        connection.connection.rollback()  # end the transaction that the driver has left open
        reason = (
            "keeps nothing: another connection does not see a row that was written. Use a driver that "
            "commits in autocommit, and a database that connections share, so not one in memory"
        )
        yield Problem("driver", "keeps_nothing", reason)


def _is_visible(connection: Connection, query: Select[Any]) -> bool:
    if isinstance(connection.engine.pool, StaticPool):
        return True  # the application chose a single connection
    with second_connection(connection) as second:
        try:
            return second.execute(query).first() is not None
        except DBAPIError as error:
            if str(code(error)).startswith("no such table"):  # each connection has a database of its own
                return False
            raise
