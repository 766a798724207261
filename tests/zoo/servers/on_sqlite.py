"""User stores and caches on SQLite files with one fault each."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import Any, ClassVar, cast

from authx_contract import SteppedClock, never_suspends
from authx_contract.never_suspends import unwrapped
from authx_core.domain import User, UserId, checks
from authx_core.ports import Cache, UserStore
from zoo.correct.sqlite_cache import CacheOnFile, SQLiteCache
from zoo.correct.sqlite_users import CONDITIONS, SCHEMA, SQLiteUsers, UsersOnFile
from zoo.machinery.records import keys
from zoo.machinery.registry import C, correct, mutant


def broken(killer: str, sentence: str) -> Callable[[C], C]:
    """Put an adapter into the zoo."""

    def register(kind: C) -> C:
        home = CacheOnFile if issubclass(kind, SQLiteCache) else UsersOnFile
        name = f"Sqlite{kind.__name__}"
        harness = type(name, (home,), {"adapter": kind, "__module__": kind.__module__})
        setattr(sys.modules[kind.__module__], name, harness)  # so that worker processes can import it
        mutant(killer, sentence)(harness)
        return kind

    return register


@broken("U-010", "keys are compared without regard to case")
class IgnoresCase(SQLiteUsers):
    schema = SCHEMA.replace("key TEXT,", "key TEXT COLLATE NOCASE,")


@broken("U-052", "a prefix is found by LIKE, which has wildcards and ignores case")
class FindsPrefixesByLike(SQLiteUsers):
    conditions: ClassVar[Mapping[str, str]] = {
        **CONDITIONS,
        "username_prefix": "username_key LIKE :username_prefix || '%'",
    }


@broken("U-021", "a transaction begins with a read lock, which SQLite cannot always upgrade")
class BeginsDeferred(SQLiteUsers):
    begin = "BEGIN"


@broken("U-020", "INSERT OR REPLACE takes keys from their owners")
class ReplacesKeys(SQLiteUsers):
    def _taken(self, db: sqlite3.Connection, user: User, owners: set[UserId | None]) -> set[str]:
        for kind, provider, key in keys(user):
            db.execute("DELETE FROM keys WHERE (kind, provider, key) = (?, ?, ?)", (kind, provider, key))
        return set()


@broken("U-040", "a delete relies on a foreign key, which SQLite does not enforce by itself")
class ReliesOnCascade(SQLiteUsers):
    schema = SCHEMA.replace("user_id TEXT NOT NULL,", "user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,")

    async def delete(self, user_id: UserId, /) -> bool:
        if not checks.is_text(user_id):
            return False
        with self._statement() as db:
            return db.execute("DELETE FROM users WHERE id = ?", [user_id]).rowcount == 1


class _Rows(list[Any]):
    rowcount = -1

    def fetchone(self) -> Any:
        return self[0] if self else None

    def fetchall(self) -> list[Any]:
        return self


class _OneAtATime:
    """Locks each statement: threads that meet within SQLite crash the interpreter, which proves nothing."""

    def __init__(self, db: sqlite3.Connection, lock: Lock) -> None:
        self._db, self._lock = db, lock

    def execute(self, *given: Any) -> _Rows:
        with self._lock:
            cursor = self._db.execute(*given)
            rows = _Rows(cursor)
            rows.rowcount = cursor.rowcount
            return rows

    def executemany(self, *given: Any) -> None:
        with self._lock:
            self._db.executemany(*given)


class Unlocked(SQLiteUsers):
    @contextmanager
    def _statement(self) -> Iterator[sqlite3.Connection]:
        yield cast("sqlite3.Connection", _OneAtATime(self._db, self._lock))


@mutant("U-021", "threads share one connection, and so each other's transactions")
class SqliteSharesOneConnection(UsersOnFile):
    adapter = Unlocked

    async def open_users(self, clock: SteppedClock, /) -> UserStore:
        if not self.handles:
            await super().open_users(clock)
        shared = Unlocked.__new__(Unlocked)
        shared._db, shared._lock = self.handles[0]._db, self.handles[0]._lock
        return never_suspends(shared)


@broken("C-021", "pop is SELECT, then DELETE")
class SelectsThenDeletes(SQLiteCache):
    async def pop(self, key: str, /) -> str | None:
        value = await self.get(key)
        with self._statement() as db:
            db.execute("DELETE FROM entries WHERE key = ?", [key])
        return value


class _Undeclared(CacheOnFile):
    """Blocks without `never_suspends`: as tasks of one loop, its calls would never race."""

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        return cast("Cache", unwrapped(await super().open_cache(clock)))


@correct("entries in SQLite, whose calls block without `never_suspends`")
class UndeclaredSQLiteCache(_Undeclared):
    pass


@mutant("C-021", "calls block without `never_suspends`, and pop is SELECT, then DELETE")
class UndeclaredSqliteSelectsThenDeletes(_Undeclared):
    adapter = SelectsThenDeletes


@broken("C-022", "add is SELECT, then INSERT")
class LooksUpThenAdds(SQLiteCache):
    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        checks.check_entry([key], value=value, ttl=ttl)
        if await self.get(key) is not None:
            return False
        await self.set(key, value, ttl=ttl)
        return True


@broken("C-023", "counters are read and written without a transaction")
class CountsInAutocommit(SQLiteCache):
    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._statement() as db:
            yield db


@broken("C-010", "expired entries are readable until they are purged")
class ReadsWhatIsNotPurged(SQLiteCache):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        checks.check_entry(keys)
        with self._statement() as db:
            found = [db.execute("SELECT value FROM entries WHERE key = ?", [key]).fetchone() for key in keys]
        return [row and str(row[0]) for row in found]
