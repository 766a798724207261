"""References from an application's tables to ours on SQLite, which enforces foreign keys only on demand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    column,
    literal,
    select,
    table,
    text,
)

from authx_adapters.sqlalchemy.schema import Schema


@contextmanager
def enforced(connection: Connection) -> Generator[None, None, None]:
    """Make SQLite enforce foreign keys in the block, which must be in autocommit: a transaction ignores the pragma."""
    if _enforces(connection):
        yield
        return
    connection.exec_driver_sql("PRAGMA foreign_keys = ON")
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")


def would_orphan(connection: Connection, schema: Schema, user_id: str) -> bool:
    """Whether a deletion would leave rows that refer to no user, in a transaction that does not enforce foreign keys.

    SQLite would not execute `ON DELETE` there either.
    """
    return not _enforces(connection) and any(
        connection.execute(query).first() is not None for query in _queries(connection, schema, user_id)
    )


def _enforces(connection: Connection) -> bool:
    return bool(connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one())


def _queries(connection: Connection, schema: Schema, user_id: str) -> Iterator[Select[Any]]:
    """Return a query for each foreign key to our tables."""
    owners = {schema.users: schema.users.c.id, schema.identities: schema.identities.c.user_id}
    for parent, owner in owners.items():
        place = connection.schema_for_object(parent)
        for child, pairs in _foreign_keys(connection, parent, place):
            if child != schema.identities.name:
                columns: list[ColumnClause[Any]] = [column(name) for name in pairs]
                refers = table(child, *columns, schema=place)
                same: list[ColumnElement[bool]] = [refers.c[name] == there for name, there in pairs.items()]
                yield select(literal(1)).select_from(refers.join(parent, and_(*same))).where(owner == user_id).limit(1)


def _foreign_keys(
    connection: Connection, parent: Table, place: str | None
) -> Iterator[tuple[str, Mapping[str, ColumnElement[Any]]]]:
    """Return each foreign key to a table: the child table, and the parent's column for each of its columns."""
    quote = connection.dialect.identifier_preparer.quote
    catalogue = "sqlite_master" if place is None else f"{quote(place)}.sqlite_master"
    within = "" if place is None else ", :place"
    rows = connection.execute(
        text(
            f'SELECT child.name, refers.id, refers.seq, refers."from", refers."to" FROM {catalogue} AS child, '  # noqa: S608 - quoted
            f"pragma_foreign_key_list(child.name{within}) AS refers WHERE child.type = 'table' "
            'AND refers."table" = :parent COLLATE NOCASE'
        ),
        {"parent": parent.name} | ({"place": place} if within else {}),
    ).all()
    there: dict[str, ColumnElement[Any]] = {each.name.lower(): each for each in parent.columns}
    keys: Sequence[ColumnElement[Any]] = [each for each in parent.columns if each.primary_key]
    found = defaultdict[tuple[str, int], dict[str, ColumnElement[Any]]](dict)
    for child, number, position, name, to in rows:
        referred = keys[int(position)] if to is None else there.get(to.lower())
        if referred is not None:
            found[child, number][name] = referred
    return ((child, pairs) for (child, _), pairs in found.items())
