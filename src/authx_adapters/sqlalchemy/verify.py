"""Checks what the promises depend on: the server's settings, and tables like those of the schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, Column, Connection, Inspector, Integer, Table, inspect, text
from sqlalchemy.types import TypeDecorator

from authx_adapters.sqlalchemy import galera
from authx_adapters.sqlalchemy.keeping import lost
from authx_adapters.sqlalchemy.poolers import check_pooler
from authx_adapters.sqlalchemy.schema import Schema, Tables
from authx_adapters.sqlalchemy.types import EXACT, Exact, Permissions
from authx_core.domain import InvalidSchema, Problem

MakeRow: TypeAlias = Callable[[], Mapping[str, object]]

_OLDEST: Final = {"sqlite": (3, 35), "postgresql": (13,), "mariadb": (10, 6), "mysql": (10, 6)}
"""SQLite: the first version with `RETURNING`. The others: the oldest that were still maintained in 2025."""
_BY_CODE_POINT: Final = frozenset({"C", "POSIX", "ucs_basic", "pg_c_utf8", "C.UTF-8", "C.utf8"})
_UNSAFE_MODES: Final = frozenset({"EMPTY_STRING_IS_NULL", "NO_BACKSLASH_ESCAPES", "PAD_CHAR_TO_FULL_LENGTH"})
_WEAKENING: Final = {
    "postgresql_where",
    "postgresql_nulls_not_distinct",
    "sqlite_where",
    "mysql_length",
    "mariadb_length",
}
_POSTGRESQL_COLLATIONS: Final = """
SELECT attname, COALESCE(NULLIF(collname, 'default'), datcollate)
FROM pg_attribute LEFT JOIN pg_collation ON pg_collation.oid = attcollation, pg_database
WHERE attrelid = to_regclass(:table) AND attnum > 0 AND datname = current_database()
"""
_MARIADB_COLLATIONS: Final = """
SELECT column_name, COALESCE(collation_name, data_type)
FROM information_schema.columns WHERE table_schema = COALESCE(:place, DATABASE()) AND table_name = :name
"""
_INVALID_INDEXES: Final = """
SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE NOT indisvalid AND indrelid = to_regclass(:table)
"""
_MAKE: Final = "call create_schema() or run your migrations"


def verify_users(connection: Connection, schema: Schema, row: MakeRow | None) -> None:
    """Raise `InvalidSchema` with everything that would break a promise of a user store."""
    verify(connection, schema, row, [*_cascades(connection, schema)])


def verify(connection: Connection, tables: Tables, row: MakeRow | None, problems: Sequence[Problem] = ()) -> None:
    """Raise `InvalidSchema` with these problems and all others that are found.

    If there are none, a ``row`` is written to the last table, looked for through another connection, and removed. It is
    None inside a caller's transaction, which would hide it.
    """
    if row is not None:
        check_pooler(connection)
    found = [*_server(connection), *problems]
    inspector = inspect(connection)
    for table in tables.tables:
        if inspector.has_table(table.name, schema=connection.schema_for_object(table)):
            found += [*_columns(connection, inspector, table), *_keys(connection, inspector, table)]
        else:
            found.append(Problem(table.name, "missing", f"does not exist: {_MAKE}"))
    if row is not None and not found:
        found += lost(connection, tables.tables[-1], row())
    if found:
        raise InvalidSchema(*found)


def _server(connection: Connection) -> Iterator[Problem]:
    name, version = connection.dialect.name, connection.dialect.server_version_info or ()
    if name in {"mariadb", "mysql"} and not getattr(connection.dialect, "is_mariadb", False):
        yield Problem("server", "unsupported", "is MySQL, which cannot return what it inserts: use MariaDB")
        return
    if version < _OLDEST[name]:
        oldest = ".".join(map(str, _OLDEST[name]))
        yield Problem("server", "too_old", f"is of version {'.'.join(map(str, version))}: upgrade to {oldest} or later")
    if name == "postgresql":
        encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
        if encoding != "UTF8":
            yield Problem("server_encoding", "unsafe", f"is {encoding}: create the database WITH ENCODING 'UTF8'")
    elif name != "sqlite":
        yield from _mariadb(connection)
        yield from galera.problems(connection)


def _mariadb(connection: Connection) -> Iterator[Problem]:
    settings = "SELECT @@sql_mode, @@character_set_client, @@log_bin AND @@binlog_format = 'STATEMENT'"
    given, charset, refuses = connection.execute(text(settings)).one()
    modes = set(given.split(","))
    if not modes & {"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES"}:
        reason = "is not strict, so MariaDB would cut values that do not fit: add STRICT_TRANS_TABLES"
        yield Problem("sql_mode", "unsafe", reason)
    for mode in sorted(modes & _UNSAFE_MODES):
        yield Problem("sql_mode", "unsafe", f"changes texts or how they are quoted: remove {mode}")
    if charset != "utf8mb4":
        yield Problem("character_set_client", "unsafe", f"is {charset}: connect with charset=utf8mb4")
    if refuses:
        yield Problem("binlog_format", "unsafe", "is STATEMENT, which refuses READ COMMITTED: set it to MIXED or ROW")


def _columns(connection: Connection, inspector: Inspector, table: Table) -> Iterator[Problem]:
    place = connection.schema_for_object(table)
    there = {column["name"]: column for column in inspector.get_columns(table.name, schema=place)}
    collations = _collations(connection, table)
    for column in table.columns:
        where = f"{table.name}.{column.name}"
        if column.name not in there:
            yield Problem(where, "missing", f"does not exist: {_MAKE}")
            continue
        kind = there[column.name]["type"]
        if isinstance(column.type, Exact | Permissions):
            yield from _text(where, column, kind, collations.get(column.name))
        elif isinstance(_plain(column), BigInteger) and not _holds_64_bits(connection, kind):
            reason = f"is {kind!r}, which does not hold whole microseconds or 64 bits: alter it to BIGINT"
            yield Problem(where, "kind", reason)
    for name in sorted(there.keys() - table.columns.keys()):
        if not there[name]["nullable"] and there[name].get("default") in {None, "NULL"}:
            reason = "is unknown to this version and must not be NULL, so no row can be stored: give it a default"
            yield Problem(f"{table.name}.{name}", "unknown", reason)


def _text(where: str, column: Column[Any], kind: object, collation: str | None) -> Iterator[Problem]:
    length, declared = getattr(kind, "length", None), getattr(column.type, "length", None)
    if declared is not None and length is not None and length < declared:
        yield Problem(where, "too_short", f"holds {length} characters: alter it to {declared}")
    if collation is not None:
        reason = f"is compared by the collation {collation}, not by code point: alter it to {_exact(column)}"
        yield Problem(where, "unsafe_collation", reason)


def _exact(column: Column[Any]) -> str:
    length = getattr(column.type, "length", None)
    kind = "text" if length is None else f"VARCHAR({length})"
    return f'{kind} COLLATE "C" (PostgreSQL), {EXACT} (MariaDB) or BINARY (SQLite)'


def _collations(connection: Connection, table: Table) -> Mapping[str, str]:
    """Return the collation of each column of text that is not compared by code points."""
    match connection.dialect.name:
        case "sqlite":
            return _collations_of_indexes(connection, table)
        case "postgresql":
            query, exact = text(_POSTGRESQL_COLLATIONS), _BY_CODE_POINT
            found = connection.execute(query, {"table": _quoted(connection, table)}).all()
        case _:
            query, exact = text(_MARIADB_COLLATIONS), frozenset({EXACT})
            place = connection.schema_for_object(table)
            found = connection.execute(query, {"place": place, "name": table.name}).all()
    return {name: str(collation) for name, collation in found if collation not in exact}


def _quoted(connection: Connection, table: Table) -> str:
    """Return the name of a table as in a statement on this connection."""
    quote, place = connection.dialect.identifier_preparer.quote, connection.schema_for_object(table)
    return quote(table.name) if place is None else f"{quote(place)}.{quote(table.name)}"


def _collations_of_indexes(connection: Connection, table: Table) -> Mapping[str, str]:
    place = connection.schema_for_object(table)
    within = "" if place is None else ", :place"
    query = text(
        f"SELECT part.name, part.coll FROM pragma_index_list(:name{within}) AS there, "  # noqa: S608 - one of two
        f"pragma_index_xinfo(there.name{within}) AS part"
    )
    rows = connection.execute(query, {"name": table.name} | ({"place": place} if within else {})).all()
    return {name: collation for name, collation in rows if name is not None and collation != "BINARY"}


def _keys(connection: Connection, inspector: Inspector, table: Table) -> Iterator[Problem]:
    there = _unique(connection, inspector, table)
    wanted = [frozenset(table.primary_key.columns.keys())]
    wanted += [frozenset(index.columns.keys()) for index in table.indexes if index.unique]
    for columns in sorted(wanted, key=sorted):
        if columns not in there:
            names = ", ".join(sorted(columns))
            reason = f"has no unique index on ({names}), so two users could share them: {_MAKE}, or create that index"
            yield Problem(table.name, "missing_index", reason)
    if connection.dialect.name in {"mariadb", "mysql"}:
        engine = inspector.get_table_options(table.name, schema=connection.schema_for_object(table))
        found = next((value for name, value in engine.items() if name.endswith("_engine")), None)
        if found != "InnoDB":
            yield Problem(table.name, "unsafe_engine", f"is kept by {found}, without transactions: alter it to InnoDB")


def _unique(connection: Connection, inspector: Inspector, table: Table) -> set[frozenset[str]]:
    """Return the sets of columns with a unique index that is valid and covers all rows and whole values."""
    invalid = set[str]()
    if connection.dialect.name == "postgresql":
        invalid = set(connection.execute(text(_INVALID_INDEXES), {"table": _quoted(connection, table)}).scalars())
    place = connection.schema_for_object(table)
    found = {frozenset(inspector.get_pk_constraint(table.name, schema=place)["constrained_columns"])}
    for constraint in inspector.get_unique_constraints(table.name, schema=place):
        if "duplicates_index" not in constraint and not _weakened(constraint):
            found.add(frozenset(constraint["column_names"]))
    for index in inspector.get_indexes(table.name, schema=place):
        if index["unique"] and index["name"] not in invalid and not _weakened(index):
            found.add(frozenset(name for name in index["column_names"] if name is not None))
    return found


def _weakened(index: Any) -> bool:
    """Whether an index covers only some rows or beginnings of texts, or makes two absent values equal."""
    return bool(_WEAKENING & (index.get("dialect_options") or {}).keys())


def _cascades(connection: Connection, schema: Schema) -> Iterator[Problem]:
    """Check that the database removes social identities with their user; on SQLite, the store does it."""
    table, inspector, place = schema.identities, inspect(connection), connection.schema_for_object(schema.identities)
    if connection.dialect.name == "sqlite" or not inspector.has_table(table.name, schema=place):
        return
    keys = inspector.get_foreign_keys(table.name, schema=place)
    if not any(
        key["constrained_columns"] == ["user_id"] and key.get("options", {}).get("ondelete") == "CASCADE"
        for key in keys
    ):
        reason = f"does not refer to {schema.users.name}.id ON DELETE CASCADE: {_MAKE}, or add that foreign key"
        yield Problem(f"{table.name}.user_id", "missing_reference", reason)


def _plain(column: Column[Any]) -> Any:
    kind: Any = column.type
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


def _holds_64_bits(connection: Connection, kind: object) -> bool:
    return isinstance(kind, BigInteger) or (connection.dialect.name == "sqlite" and isinstance(kind, Integer))
