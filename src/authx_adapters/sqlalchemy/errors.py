"""The errors of databases: their codes, their meanings, and their translation to those of the ports."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from authx_adapters.common.bare import bare
from authx_adapters.sqlalchemy.deadlines import Deadline
from authx_adapters.sqlalchemy.rows import undecodable
from authx_core.domain import AuthxError, InvalidSchema, PortUnavailable

_OUTDATED: Final = frozenset({"0A000", "26000"})
"""PostgreSQL: a cached plan must not change its result type ("feature not supported"); a prepared statement does not
exist. Nothing of the statement was done."""
_AGAIN: Final = frozenset({"40001", "40P01", 1020, 1213, 1412, 1615})
"""PostgreSQL: serialization failure, deadlock. MariaDB: record changed since it was read, deadlock, table altered since
the transaction began or the statement was prepared."""
_NO_TABLE: Final = frozenset({"42P01", "42703", "3F000", 1054, 1146})
"""PostgreSQL: undefined table, column, schema. MariaDB: unknown column, table. Not a database or a role."""
_NO_TABLE_OF_SQLITE: Final = ("no such table", "no such column")
_DRIVERS: Final = frozenset({"asyncpg", "psycopg", "pymysql", "asyncmy", "aiomysql", "sqlite3", "aiosqlite"})


@contextmanager
def translated(unavailable: type[PortUnavailable], deadline: Deadline) -> Generator[None, None, None]:
    """Raise errors of SQLAlchemy and its drivers as ``unavailable``; the causes stay, rows and frames do not."""
    try:
        yield
    except AuthxError:
        raise
    except (IntegrityError, DataError) as error:
        # The driver's message may show the whole row, with the password hash.
        raise unavailable(type(error.orig).__name__) from None
    except DBAPIError as error:
        if column := undecodable(error):
            raise InvalidSchema(column) from None
        error.hide_parameters = True
        raise unavailable(deadline.reason or _reason(error)) from bare(error)
    except (SQLAlchemyError, OSError) as error:
        raise unavailable(deadline.reason or _reason(error)) from bare(error)
    except Exception as error:
        # Outside of a statement, as when it sets autocommit, SQLAlchemy does not wrap the driver's errors.
        if deadline.reason or type(error).__module__.partition(".")[0] in _DRIVERS:
            raise unavailable(deadline.reason or _reason(error)) from bare(error)
        raise


def is_outdated(error: DBAPIError) -> bool:
    """Whether a prepared statement does not fit the tables any more, as after a migration."""
    return code(error) in _OUTDATED


def code(error: BaseException) -> Any:
    """Return the database's code of an error: PostgreSQL's SQLSTATE, MariaDB's number, SQLite's message."""
    cause: Any = getattr(error, "orig", None) or error
    first = next(iter(cause.args), None)
    if isinstance(first, int):
        return first
    # SQLAlchemy's own error for a cached plan of asyncpg has no SQLSTATE, but its cause has.
    states = (getattr(each, "sqlstate", None) for each in (cause, cause.__cause__))
    return next(filter(None, states), None) or first


def is_victim(error: DBAPIError) -> bool:
    """Whether the database aborted the transaction because of a deadlock or conflict, and kept nothing of it."""
    return code(error) in _AGAIN


def _reason(error: Exception) -> str:
    if isinstance(error, DBAPIError) and is_outdated(error):
        return "the tables were altered since this session prepared its statements: begin a new transaction"
    cause: BaseException = getattr(error, "orig", None) or error
    reason = f"{type(cause).__name__}: {cause}".partition("\n")[0]
    named = code(error)
    if named in _NO_TABLE or (isinstance(named, str) and named.startswith(_NO_TABLE_OF_SQLITE)):
        return f"{reason} (create_schema or a migration creates the tables)"
    return reason
