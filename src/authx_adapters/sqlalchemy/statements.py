"""Every statement, built once with bound parameters."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    CompoundSelect,
    Delete,
    Insert,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import sqlite

from authx_adapters.sqlalchemy.schema import Schema
from authx_core.domain import SocialIdentity

_LAST: Final = "\U0010ffff"


class Statements:
    """The statements of a store over one schema."""

    def __init__(self, schema: Schema) -> None:
        self._users, self._identities, self._blackout = schema.users, schema.identities, schema.blackout
        c = self._users.c
        self.by_id = self._by(c.id)
        self.by_email = self._by(c.email_key)
        self.by_username = self._by(c.username_key)
        self.by_social: Select[Any] = (
            select(self._users)
            .join(self._identities, self._identities.c.user_id == c.id)
            .where(
                self._identities.c.provider == bindparam("provider"), self._identities.c.subject == bindparam("subject")
            )
        )
        self.create: Insert = insert(self._users).returning(self._users)
        self.link: Insert = insert(self._identities)
        self.unlink: Delete = delete(self._identities).where(self._identities.c.user_id == bindparam("owner"))
        self.delete: Delete = delete(self._users).where(c.id == bindparam("user_id"))
        self.blackout: Select[Any] = select(self._blackout.c.cutoff)
        self.lift: Delete = delete(self._blackout)
        later = sqlite.insert(self._blackout).values(id=1, cutoff=bindparam("cutoff"))
        self.black_out: Insert = later.on_conflict_do_update(
            index_elements=["id"], set_={"cutoff": func.max(self._blackout.c.cutoff, later.excluded.cutoff)}
        )
        self.update = cache(self._update)
        self.search = cache(self._search)
        self.count = cache(self._count)

    def taken(
        self, user_id: str, keys: dict[str, str], identities: Iterable[SocialIdentity], *, new: bool
    ) -> CompoundSelect[str]:
        """Name every field whose key belongs to another user: to any, if the user is new."""
        c, linked = self._users.c, self._identities.c
        others = literal(True) if new else c.id != user_id
        owned = literal(True) if new else linked.user_id != user_id
        found = [
            select(literal(field)).where(exists().where(c[f"{field}_key"] == key, others))
            for field, key in keys.items()
        ]
        if identities:
            same = or_(*(and_(linked.provider == each.provider, linked.subject == each.subject) for each in identities))
            found.append(select(literal("identities")).where(exists().where(same, owned)))
        if new:
            found.append(select(literal("id")).where(exists().where(c.id == user_id)))
        return union_all(*found, select(literal("")).where(literal(False)))

    def _by(self, column: Column[Any]) -> Select[Any]:
        return select(self._users).where(column == bindparam("value"))

    def _update(self, changed: frozenset[str], expected: frozenset[str]) -> Update:
        c = self._users.c
        return (
            update(self._users)
            .where(
                c.id == bindparam("user_id"),
                *(c[field].is_not_distinct_from(_bound("expected", c[field])) for field in sorted(expected)),
            )
            .values({field: _bound("new", c[field]) for field in sorted(changed)} | {"version": c.version + 1})
            .returning(self._users)
        )

    def _search(self, given: frozenset[str]) -> Select[Any]:
        return (
            select(self._users)
            .where(*self._conditions(given))
            .order_by(self._users.c.id)
            .limit(bindparam("limit"))
            .offset(bindparam("offset"))
        )

    def _count(self, given: frozenset[str]) -> Select[Any]:
        return select(func.count()).select_from(self._users).where(*self._conditions(given))

    def _conditions(self, given: frozenset[str]) -> Iterable[ColumnElement[bool]]:
        c = self._users.c
        members = func.json_each(c.permissions).table_valued("value")
        conditions: dict[str, ColumnElement[bool]] = {
            "id": c.id == bindparam("id"),
            "after": c.id > bindparam("after"),
            "active": c.active == bindparam("active"),
            "permission": exists().select_from(members).where(members.c.value == bindparam("permission")),
            "username_contains": func.instr(c.username_key, bindparam("username_contains")) > 0,
            "email_contains": func.instr(c.email_key, bindparam("email_contains")) > 0,
            "username_prefix": c.username_key >= bindparam("username_prefix"),
            "username_before": c.username_key < bindparam("username_before"),
            "email_prefix": c.email_key >= bindparam("email_prefix"),
            "email_before": c.email_key < bindparam("email_before"),
        }
        return [conditions[name] for name in sorted(given)]


def _bound(role: str, column: Column[Any]) -> BindParameter[Any]:
    return bindparam(f"{role}_{column.name}", type_=column.type)


def after_prefix(prefix: str) -> str | None:
    """Return the first text, by code points, that sorts after all that begin with ``prefix``; None: there is none."""
    stem = prefix.rstrip(_LAST)
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    return stem[:-1] + chr(0xE000 if following == 0xD800 else following)  # noqa: PLR2004 - surrogates are no text
