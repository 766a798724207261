"""Every statement on users, built once, with bound parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Delete,
    Insert,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite

from authx_adapters.sqlalchemy.rows import raw
from authx_adapters.sqlalchemy.schema import Schema
from authx_core.domain import SocialIdentity, limits

BLACKOUT: Final = 1
"""The id of the one cut-off in its table."""
Kept: TypeAlias = Callable[[Any, Any], Mapping[str, Any]]
"""Returns the new columns of an existing row, from its stored columns and the given ones."""


class Statements:
    """The statements of a store for one schema and one kind of database."""

    def __init__(self, schema: Schema, dialect: str) -> None:
        self._users, self._identities, self._blackout = schema.users, schema.identities, schema.blackout
        self._find = func.strpos if dialect == "postgresql" else func.instr
        self.returns_updated = dialect in {"postgresql", "sqlite"}
        self._columns = raw(self._users)
        c = self._users.c
        self.by_id = self._by(c.id)
        self.by_email = self._by(c.email_key)
        self.by_username = self._by(c.username_key)
        self.by_social: Select[Any] = (
            select(*self._columns)
            .join(self._identities, self._identities.c.user_id == c.id)
            .where(
                self._identities.c.provider == bindparam("provider"), self._identities.c.subject == bindparam("subject")
            )
        )
        self.create: Insert = insert(self._users).returning(*self._columns)
        self.link: Insert = insert(self._identities)
        self.unlink: Delete = delete(self._identities).where(self._identities.c.user_id == bindparam("owner"))
        self.delete: Delete = delete(self._users).where(c.id == bindparam("user_id"))
        self.blackout: Select[Any] = select(*raw(self._blackout)).where(self._blackout.c.id == BLACKOUT)
        self.lift: Delete = delete(self._blackout).where(self._blackout.c.id == BLACKOUT)
        self.black_out: Insert = upsert(
            dialect,
            self._blackout,
            [{"id": BLACKOUT, "cutoff": bindparam("cutoff", type_=self._blackout.c.cutoff.type)}],
            lambda kept, new: {"cutoff": case((new["cutoff"] > kept["cutoff"], new["cutoff"]), else_=kept["cutoff"])},
        ).returning(*raw(self._blackout))
        self.update = cache(self._update)
        self.search = cache(self._search)
        self.count = cache(self._count)

    def taken(
        self, user_id: str, keys: Mapping[str, str], identities: Iterable[SocialIdentity], *, new: bool
    ) -> list[Select[str]]:
        """Select the name of every field whose key another user has: any other if this user is ``new``."""
        c, linked = self._users.c, self._identities.c
        others = literal(True) if new else c.id != user_id
        owned = literal(True) if new else linked.user_id != user_id
        found = [_named(field, c[f"{field}_key"] == key, others) for field, key in keys.items()]
        same = [and_(linked.provider == each.provider, linked.subject == each.subject) for each in identities]
        if same:
            found.append(_named("identities", or_(*same), owned))
        if new:
            found.append(_named("id", c.id == user_id))
        return found

    def _by(self, column: Column[Any]) -> Select[Any]:
        return select(*self._columns).where(column == bindparam("value"))

    def _update(self, changed: frozenset[str], expected: frozenset[str], *, raised: bool = False) -> Update:
        """Set the changed fields if the expected ones are equal. If ``raised``, add one to the epoch."""
        c = self._users.c
        given = changed - {"epoch"} if raised else changed
        counted = {"version": c.version + 1} | ({"epoch": c.epoch + 1} if raised else {})
        statement = (
            update(self._users)
            .where(
                c.id == bindparam("user_id"),
                *(c[field].is_not_distinct_from(_bound("expected", c[field])) for field in sorted(expected)),
                *([c.epoch < limits.MAX_INTEGER] if raised else []),
            )
            .values({field: _bound("new", c[field]) for field in sorted(given)} | counted)
        )
        return statement.returning(*self._columns) if self.returns_updated else statement

    def _search(self, given: frozenset[str]) -> Select[Any]:
        return (
            select(*self._columns)
            .where(*self._conditions(given))
            .order_by(self._users.c.id)
            .limit(bindparam("limit"))
            .offset(bindparam("offset"))
        )

    def _count(self, given: frozenset[str]) -> Select[Any]:
        return select(func.count()).select_from(self._users).where(*self._conditions(given))

    def _conditions(self, given: frozenset[str]) -> Iterable[ColumnElement[bool]]:
        c = self._users.c
        conditions: dict[str, ColumnElement[bool]] = {
            "id": c.id == bindparam("id"),
            "after": c.id > bindparam("after"),
            "active": c.active == bindparam("active"),
            "permission": self._contains(c.permissions, "permission"),
            "username_contains": self._contains(c.username_key, "username_contains"),
            "email_contains": self._contains(c.email_key, "email_contains"),
            "username_prefix": c.username_key >= bindparam("username_prefix"),
            "username_before": c.username_key < bindparam("username_before"),
            "email_prefix": c.email_key >= bindparam("email_prefix"),
            "email_before": c.email_key < bindparam("email_before"),
        }
        return [conditions[name] for name in sorted(given)]

    def _contains(self, column: Column[Any], text: str) -> ColumnElement[bool]:
        """Search literally, unlike `LIKE`."""
        return self._find(column, bindparam(text, type_=self._users.c.id.type)) > 0


def upsert(
    dialect: str,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    kept: Kept,
) -> Any:
    """Insert rows. If a primary key exists already, set the columns of ``kept(stored, given)`` in their order.

    The order matters only on MariaDB, where an expression sees the values that were assigned before it.
    """
    if dialect in {"mariadb", "mysql"}:
        into = mysql.insert(table).values(rows)
        return into.on_duplicate_key_update(list(kept(table.c, into.inserted).items()))
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = make(table).values(rows)
    return statement.on_conflict_do_update(index_elements=table.primary_key, set_=kept(table.c, statement.excluded))


def _named(field: str, *conditions: ColumnElement[bool]) -> Select[str]:
    return select(literal(field)).where(*conditions)


def _bound(role: str, column: Column[Any]) -> BindParameter[Any]:
    return bindparam(f"{role}_{column.name}", type_=column.type)
