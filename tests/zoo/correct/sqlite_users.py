"""A correct user store on SQLite, through the standard library alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import ClassVar

import attrs

from authx_contract import SteppedClock, never_suspends
from authx_core.domain import (
    IdentifierTaken,
    StaleUser,
    StoreUnavailable,
    User,
    UserChanges,
    UserFields,
    UserId,
    UserNotFound,
    UserQuery,
    changed,
    checks,
)
from authx_core.ports import UserStore
from zoo.machinery.files import OnFile, SQLiteFile
from zoo.machinery.records import dump, fits, keys, load
from zoo.machinery.registry import correct

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY, email_key TEXT, username_key TEXT, active INTEGER NOT NULL, document TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (
    kind TEXT, provider TEXT, key TEXT, user_id TEXT NOT NULL, PRIMARY KEY (kind, provider, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_of_user ON keys (user_id);
CREATE TABLE IF NOT EXISTS blackout (id INTEGER PRIMARY KEY CHECK (id = 1), cutoff TEXT NOT NULL);
"""
OWNER = "SELECT user_id FROM keys WHERE kind = ? AND provider = ? AND key = ?"
PUT = """
INSERT INTO users VALUES (:id, :email_key, :username_key, :active, :document)
ON CONFLICT (id) DO UPDATE SET email_key = :email_key, username_key = :username_key, active = :active,
    document = :document
"""
LATER = """
INSERT INTO blackout VALUES (1, :cutoff)
ON CONFLICT (id) DO UPDATE SET cutoff = max(cutoff, :cutoff) RETURNING cutoff
"""
CONDITIONS = {
    "id": "id = :id",
    "after": "id > :after",
    "active": "active = :active",
    "permission": "EXISTS (SELECT 1 FROM json_each(document, '$.permissions') WHERE value = :permission)",
    "username_contains": "instr(username_key, :username_contains) > 0",
    "email_contains": "instr(email_key, :email_contains) > 0",
    "username_prefix": "substr(username_key, 1, length(:username_prefix)) = :username_prefix",
    "email_prefix": "substr(email_key, 1, length(:email_prefix)) = :email_prefix",
}


class SQLiteUsers(SQLiteFile, UserStore):
    """A document for each user, and a table in which every key has one owner.

    It blocks, and so never suspends.
    """

    schema = SCHEMA
    unavailable = StoreUnavailable
    conditions: ClassVar[Mapping[str, str]] = CONDITIONS

    async def create(self, user: User, /) -> User:
        checks.check_user(user)
        new = load(dump(attrs.evolve(user, version=1)))
        with self._transaction() as db:
            taken = self._taken(db, new, owners={None})
            if db.execute("SELECT 1 FROM users WHERE id = ?", [new.id]).fetchone():
                taken.add("id")
            if taken:
                raise IdentifierTaken.of(taken)
            self._put(db, new)
        return new

    async def get(self, user_id: UserId, /) -> User | None:
        return self._find("id = ?", user_id)

    async def get_by_email(self, email_key: str, /) -> User | None:
        return self._find(f"id = ({OWNER})", "email", "", email_key)

    async def get_by_username(self, username_key: str, /) -> User | None:
        return self._find(f"id = ({OWNER})", "username", "", username_key)

    async def get_by_social(self, provider: str, subject: str, /) -> User | None:
        return self._find(f"id = ({OWNER})", "identities", provider, subject)

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        checks.check_update(changes, expected)
        with self._transaction() as db:
            user = self._one(db, "id = ?", user_id)
            if user is None:
                raise UserNotFound(user_id)
            if not fits(user, expected):
                raise StaleUser(user_id)
            after = load(dump(changed(user, changes)))
            if taken := self._taken(db, after, owners={None, user_id}):
                raise IdentifierTaken.of(taken)
            self._put(db, after)
        return after

    async def delete(self, user_id: UserId, /) -> bool:
        if not checks.is_text(user_id):
            return False
        with self._transaction() as db:
            db.execute("DELETE FROM keys WHERE user_id = ?", [user_id])
            return db.execute("DELETE FROM users WHERE id = ?", [user_id]).rowcount == 1

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        checks.check_query(query)
        checks.check_page(limit, after, offset)
        where, given = self._where(query, after)
        found = f"SELECT document FROM users WHERE {where}"  # noqa: S608 - of constants
        statement = f"{found} ORDER BY id LIMIT :limit OFFSET :offset"
        with self._statement() as db:
            rows = db.execute(statement, given | {"limit": limit, "offset": offset}).fetchall()
        return [load(document) for (document,) in rows]

    async def count(self, query: UserQuery, /) -> int:
        checks.check_query(query)
        where, given = self._where(query)
        statement = f"SELECT count(*) FROM users WHERE {where}"  # noqa: S608 - of constants
        with self._statement() as db:
            return int(db.execute(statement, given).fetchone()[0])

    async def get_blackout(self) -> datetime | None:
        with self._statement() as db:
            row = db.execute("SELECT cutoff FROM blackout").fetchone()
        return row and datetime.fromisoformat(row[0])

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        checks.check_blackout(cutoff)
        with self._statement() as db:
            if cutoff is None:
                db.execute("DELETE FROM blackout")
                return None
            utc = cutoff.astimezone(timezone.utc)  # UTC text of a fixed length sorts as the instants do
            row = db.execute(LATER, {"cutoff": utc.isoformat(timespec="microseconds")}).fetchone()
        return datetime.fromisoformat(row[0])

    def _find(self, where: str, *values: str) -> User | None:
        with self._statement() as db:
            return self._one(db, where, *values)

    def _one(self, db: sqlite3.Connection, where: str, *values: str) -> User | None:
        if not all(checks.is_text(value) for value in values):
            return None
        statement = f"SELECT document FROM users WHERE {where}"  # noqa: S608 - of constants
        row = db.execute(statement, values).fetchone()
        return row and load(row[0])

    def _taken(self, db: sqlite3.Connection, user: User, owners: set[UserId | None]) -> set[str]:
        """Return the kinds of the user's keys that have other owners than these."""
        found = [(key[0], db.execute(OWNER, key).fetchone()) for key in keys(user)]
        return {kind for kind, row in found if (row and row[0]) not in owners}

    def _put(self, db: sqlite3.Connection, user: User) -> None:
        row = {name: getattr(user, name) for name in ("id", "email_key", "username_key", "active")}
        db.execute(PUT, row | {"document": dump(user)})
        db.execute("DELETE FROM keys WHERE user_id = ?", [user.id])
        db.executemany("INSERT INTO keys VALUES (?, ?, ?, ?)", [(*key, user.id) for key in keys(user)])

    def _where(self, query: UserQuery, after: UserId | None = None) -> tuple[str, dict[str, object]]:
        given = {name: value for name, value in attrs.asdict(query).items() if value is not None}
        given |= {} if after is None else {"after": after}
        return " AND ".join(["TRUE", *(self.conditions[name] for name in given)]), given


class UsersOnFile(OnFile):
    adapter: ClassVar[type[SQLiteUsers]] = SQLiteUsers

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        store = self.adapter(self.path)
        self.handles.append(store)
        return never_suspends(store)


@correct("users in SQLite by the standard library alone, in documents and a table of keys")
class StandardLibrarySQLite(UsersOnFile):
    pass
