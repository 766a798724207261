"""A correct user store on PostgreSQL by plain psycopg: `SELECT … FOR UPDATE`, and a table of keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Any, ClassVar, Final

import attrs
from psycopg import AsyncConnection, AsyncCursor, Error
from psycopg.sql import SQL, Composed, Identifier

from authx_contract import SteppedClock
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
from zoo.machinery.lent import Namespaced, database
from zoo.machinery.records import dump, fits, keys, load
from zoo.machinery.registry import correct

SCHEMA: Final = """
SELECT pg_advisory_xact_lock(20260101);
CREATE TABLE IF NOT EXISTS {users} (
    id text COLLATE "C" PRIMARY KEY, email_key text COLLATE "C", username_key text COLLATE "C",
    active boolean NOT NULL, permissions text[] COLLATE "C" NOT NULL, document text NOT NULL
);
CREATE TABLE IF NOT EXISTS {keys} (
    kind text, provider text COLLATE "C", key text COLLATE "C",
    user_id text COLLATE "C" NOT NULL REFERENCES {users} ON DELETE CASCADE,
    PRIMARY KEY (key, provider, kind)
);
CREATE INDEX IF NOT EXISTS {of_user} ON {keys} (user_id);
CREATE TABLE IF NOT EXISTS {blackout} (id integer PRIMARY KEY CHECK (id = 1), cutoff text COLLATE "C" NOT NULL);
"""
OWNER: Final = "SELECT document FROM {users} JOIN {keys} ON user_id = id WHERE kind = %s AND provider = %s AND key = %s"
PUT: Final = """
INSERT INTO {users} VALUES (%(id)s, %(email_key)s, %(username_key)s, %(active)s, %(permissions)s, %(document)s)
ON CONFLICT (id) DO
"""
CHANGE: Final = """
UPDATE {users} SET email_key = %(email_key)s, username_key = %(username_key)s, active = %(active)s,
    permissions = %(permissions)s, document = %(document)s
WHERE id = %(id)s
"""
CLAIM: Final = """
INSERT INTO {keys} SELECT kind, provider, key, %s
FROM unnest(%s::text[], %s::text[], %s::text[]) AS mine (kind, provider, key)
ON CONFLICT DO NOTHING RETURNING kind, provider, key
"""
LATER: Final = """
INSERT INTO {blackout} AS kept VALUES (1, %s)
ON CONFLICT (id) DO UPDATE SET cutoff = greatest(kept.cutoff, excluded.cutoff) RETURNING cutoff
"""
CONDITIONS: Final = {
    "id": "id = %(id)s",
    "after": "id > %(after)s",
    "active": "active = %(active)s",
    "permission": "%(permission)s = ANY (permissions)",
    "username_contains": "strpos(username_key, %(username_contains)s) > 0",
    "email_contains": "strpos(email_key, %(email_contains)s) > 0",
    "username_prefix": "starts_with(username_key, %(username_prefix)s)",
    "email_prefix": "starts_with(email_key, %(email_prefix)s)",
}


class PostgreSQLUsers(UserStore):
    """One connection per handle, which one operation uses at a time."""

    def __init__(self, connection: AsyncConnection, prefix: str) -> None:
        self._connection, self._turn, self._loop = connection, asyncio.Lock(), asyncio.get_running_loop()
        self._tables = {name: Identifier(prefix + name) for name in ("users", "keys", "blackout", "of_user")}

    async def create_schema(self) -> None:
        async with self._transaction() as cursor:
            for statement in SCHEMA.split(";\n"):
                await cursor.execute(self._sql(statement))

    async def create(self, user: User, /) -> User:
        checks.check_user(user)
        new = load(dump(attrs.evolve(user, version=1)))
        async with self._transaction() as cursor:
            await cursor.execute(self._sql(PUT + "NOTHING"), row(new))
            taken = set() if cursor.rowcount else {"id"}
            if taken := taken | await self._refused(cursor, new):
                raise IdentifierTaken.of(taken)
        return new

    async def get(self, user_id: UserId, /) -> User | None:
        return await self._find("SELECT document FROM {users} WHERE id = %s", user_id)

    async def get_by_email(self, email_key: str, /) -> User | None:
        return await self._find(OWNER, "email", "", email_key)

    async def get_by_username(self, username_key: str, /) -> User | None:
        return await self._find(OWNER, "username", "", username_key)

    async def get_by_social(self, provider: str, subject: str, /) -> User | None:
        return await self._find(OWNER, "identities", provider, subject)

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        checks.check_update(changes, expected)
        if not checks.is_text(user_id):
            raise UserNotFound(user_id)
        async with self._transaction() as cursor:
            await cursor.execute(self._sql("SELECT document FROM {users} WHERE id = %s FOR UPDATE"), [user_id])
            found = await cursor.fetchone()
            if found is None:
                raise UserNotFound(user_id)
            user = load(found[0])
            if not fits(user, expected):
                raise StaleUser(user_id)
            after = load(dump(changed(user, changes)))
            await cursor.execute(self._sql("DELETE FROM {keys} WHERE user_id = %s"), [user_id])
            if taken := await self._refused(cursor, after):
                raise IdentifierTaken.of(taken)
            await cursor.execute(self._sql(CHANGE), row(after))
        return after

    async def delete(self, user_id: UserId, /) -> bool:
        if not checks.is_text(user_id):
            return False
        async with self._transaction() as cursor:
            await cursor.execute(self._sql("DELETE FROM {users} WHERE id = %s"), [user_id])
            return cursor.rowcount == 1

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        checks.check_query(query)
        checks.check_page(limit, after, offset)
        where, given = self._where(query, after)
        found = f"SELECT document FROM {{users}} WHERE {where}"  # noqa: S608 - of constants
        statement = f"{found} ORDER BY id LIMIT %(limit)s OFFSET %(offset)s"
        rows = await self._rows(statement, given | {"limit": limit, "offset": offset})
        return [load(document) for (document,) in rows]

    async def count(self, query: UserQuery, /) -> int:
        checks.check_query(query)
        where, given = self._where(query)
        rows = await self._rows(f"SELECT count(*) FROM {{users}} WHERE {where}", given)  # noqa: S608 - of constants
        return int(rows[0][0])

    async def get_blackout(self) -> datetime | None:
        rows = await self._rows("SELECT cutoff FROM {blackout}", ())
        return datetime.fromisoformat(rows[0][0]) if rows else None

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        checks.check_blackout(cutoff)
        async with self._transaction() as cursor:
            if cutoff is None:
                await cursor.execute(self._sql("DELETE FROM {blackout}"))
                return None
            # UTC text of a fixed length sorts as the instants do
            utc = cutoff.astimezone(timezone.utc).isoformat(timespec="microseconds")
            await cursor.execute(self._sql(LATER), [utc])
            [(standing,)] = await cursor.fetchall()
        return datetime.fromisoformat(standing)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncCursor]:
        if asyncio.get_running_loop() is not self._loop:
            raise StoreUnavailable("the connection belongs to another event loop")
        try:
            async with self._turn, self._connection.transaction(), self._connection.cursor() as cursor:
                yield cursor
        except Error as error:
            raise StoreUnavailable(type(error).__name__) from None  # its text may quote stored values

    async def _refused(self, cursor: AsyncCursor, user: User) -> set[str]:
        """Claim the user's keys in a fixed order, which prevents deadlocks; return the kinds of those taken."""
        mine = sorted(keys(user), key=lambda key: key[::-1])
        await cursor.execute(self._sql(CLAIM), [user.id, *([key[part] for key in mine] for part in range(3))])
        claimed = {tuple(each) for each in await cursor.fetchall()}
        return {key[0] for key in mine if key not in claimed}

    async def _find(self, statement: str, *key: str) -> User | None:
        rows = await self._rows(statement, key) if all(checks.is_text(part) for part in key) else []
        return load(rows[0][0]) if rows else None

    async def _rows(self, statement: str, values: Any) -> list[Any]:
        async with self._transaction() as cursor:
            await cursor.execute(self._sql(statement), values)
            return await cursor.fetchall()

    def _sql(self, statement: str) -> Composed:
        return SQL(statement).format(**self._tables)

    def _where(self, query: UserQuery, after: UserId | None = None) -> tuple[str, dict[str, object]]:
        given = {name: value for name, value in attrs.asdict(query).items() if value is not None}
        given |= {} if after is None else {"after": after}
        return " AND ".join(["TRUE", *(CONDITIONS[name] for name in given)]), given


def row(user: User) -> dict[str, object]:
    values = {name: getattr(user, name) for name in ("id", "email_key", "username_key", "active")}
    return values | {"permissions": sorted(user.permissions), "document": dump(user)}


class OnPsycopg(Namespaced):
    made: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        self.connections: list[AsyncConnection] = []

    async def connect(self) -> AsyncConnection:
        self.connections.append(await AsyncConnection.connect(database("postgres"), autocommit=True))
        return self.connections[-1]

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        store = PostgreSQLUsers(await self.connect(), self.place)
        if self.place not in self.made:
            await store.create_schema()
            self.made.add(self.place)
        return store

    async def reset(self) -> None:
        if self.place in self.made:
            connection = self.connections[0] if self.connections else await self.connect()
            for table in ("users", "blackout"):
                await connection.execute(SQL("DELETE FROM {}").format(Identifier(self.place + table)))

    async def close(self) -> None:
        while self.connections:
            await self.connections.pop().close()


@correct("users in PostgreSQL by plain psycopg, locked by SELECT … FOR UPDATE", needs="postgresql")
class SelectForUpdate(OnPsycopg):
    pass
