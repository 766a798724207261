"""A correct cache on SQLite, through the standard library alone: an upsert, and a delete that returns."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import ClassVar, Final

from authx_contract import SteppedClock, never_suspends
from authx_core.domain import CacheUnavailable, InvalidValue, Problem, checks
from authx_core.ports import Cache, Clock
from zoo.machinery.files import OnFile, SQLiteFile
from zoo.machinery.registry import correct

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT NOT NULL, deadline INTEGER NOT NULL);
"""
_LIVE: Final = "SELECT value FROM entries WHERE key = :key AND deadline > :now"
_PUT: Final = """
INSERT INTO entries VALUES (:key, :value, :deadline)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, deadline = excluded.deadline
"""
_POP: Final = "DELETE FROM entries WHERE key = :key RETURNING value, deadline > :now"
_COUNT: Final = "UPDATE entries SET value = :value WHERE key = :key AND deadline > :now"


class SQLiteCache(SQLiteFile, Cache):
    """It blocks, and so never suspends. Lifetimes follow the clock that is given."""

    schema = _SCHEMA
    unavailable = CacheUnavailable

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(path)
        self._clock = clock

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        checks.check_entry(keys)
        with self._statement() as db:
            return [self._read(db, key) for key in keys]

    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        checks.check_entry([key], value=value, ttl=ttl)
        with self._statement() as db:
            db.execute(_PUT, self._row(key, value, ttl))

    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        checks.check_entry([key], value=value, ttl=ttl)
        with self._statement() as db:
            return db.execute(f"{_PUT} WHERE deadline <= :now", self._row(key, value, ttl)).rowcount == 1

    async def pop(self, key: str, /) -> str | None:
        checks.check_entry([key])
        with self._statement() as db:
            rows = db.execute(_POP, {"key": key, "now": self._now()}).fetchall()
        return next((value for value, live in rows if live), None)

    async def delete(self, key: str, /) -> bool:
        return await self.pop(key) is not None

    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        checks.check_entry(keys, ttl=ttl)
        checks.check_step(by)
        with self._transaction() as db:
            return [self._count(db, key, by, ttl) for key in keys]

    def _count(self, db: sqlite3.Connection, key: str, by: int, ttl: timedelta) -> int:
        value = self._read(db, key)
        number = 0 if value is None else checks.number(value)
        if number is None:
            raise InvalidValue(Problem("key", "invalid", "holds no whole number"))
        checks.check_step(number + by)
        db.execute(_PUT if value is None else _COUNT, self._row(key, str(number + by), ttl))
        return number + by

    def _read(self, db: sqlite3.Connection, key: str) -> str | None:
        row = db.execute(_LIVE, {"key": key, "now": self._now()}).fetchone()
        return None if row is None else str(row[0])

    def _row(self, key: str, value: str, ttl: timedelta) -> dict[str, object]:
        return {"key": key, "value": value, "deadline": self._now(ttl), "now": self._now()}

    def _now(self, later: timedelta = timedelta(0)) -> int:
        return (self._clock.now() + later - _EPOCH) // timedelta(microseconds=1)


class CacheOnFile(OnFile):
    adapter: ClassVar[type[SQLiteCache]] = SQLiteCache

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        cache = self.adapter(self.path, clock)
        self.handles.append(cache)
        return never_suspends(cache)


@correct("entries in SQLite by the standard library alone")
class StandardLibrarySQLiteCache(CacheOnFile):
    pass
