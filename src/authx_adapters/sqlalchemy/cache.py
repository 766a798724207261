"""A cache in a relational database."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Executable,
    Row,
    Select,
    bindparam,
    case,
    delete,
    null,
    or_,
    select,
)

from authx_adapters.common.sweeping import SWEEP, Sweeping
from authx_adapters.sqlalchemy.database import Client, Database
from authx_adapters.sqlalchemy.galera import removed
from authx_adapters.sqlalchemy.rows import entry, raw
from authx_adapters.sqlalchemy.schema import CacheSchema
from authx_adapters.sqlalchemy.statements import Kept, upsert
from authx_adapters.sqlalchemy.verify import verify
from authx_adapters.unbounded import warn_unbounded
from authx_core.domain import CacheUnavailable, InvalidValue, Problem, checks, limits
from authx_core.ports import Cache, Clock

_MINUTE: Final = timedelta(minutes=1)
_BATCH: Final = 500
"""Keys in one statement."""
_COLUMNS: Final = ("stamp", "value", "number", "deadline")
"""In the order of assignment: on MariaDB, a condition sees the values that were assigned before it."""


class SQLAlchemyCache(Cache):
    """Entries in a table of PostgreSQL, MariaDB or SQLite, each call one statement.

    Lifetimes are measured by ``clock``: if the clocks of two processes differ, one of them sees an entry end earlier
    by the difference. Expired entries are never returned. Every hundredth write is followed by a sweep, which removes
    up to a thousand expired entries; `purge` removes them all.

    Give it an engine. Inside a transaction, counters would be locked for all others until its end, and a rollback would
    undo them. `SQLAlchemyUserStore` lists the clients that it may have.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        schema: CacheSchema | None = None,
        *,
        timeout: timedelta | float | None = None,
    ) -> None:
        """Use the table of ``schema``, which must exist: see `create_schema`.

        Every call ends within ``timeout`` (seconds or a timedelta), or raises `CacheUnavailable`. None leaves
        that to the settings of your engine and its driver. Raises `InvalidValue` for an impossible timeout, and for a
        database other than PostgreSQL, MariaDB and SQLite.
        """
        self.schema = schema or CacheSchema()
        self._clock = clock
        self._database = Database(client, CacheUnavailable, timeout)
        self._entries = self.schema.entries
        key, now = self._entries.c.key, bindparam("now", type_=self._entries.c.deadline.type)
        self._columns = raw(self._entries)
        self._live: Select[Any] = select(*self._columns).where(
            key.in_(bindparam("keys", expanding=True)), self._entries.c.deadline > now
        )
        self._popped = delete(self._entries).where(key == bindparam("key")).returning(*self._columns)
        self._expired: Delete = delete(self._entries).where(self._entries.c.deadline <= now)
        self._oldest: Select[Any] = (
            select(key).where(self._entries.c.deadline <= now).order_by(self._entries.c.deadline).limit(SWEEP)
        )
        self._sweeping = Sweeping(timeout)

    async def create_schema(self) -> None:
        """Create the table if it is missing. An application may create it by migrations instead."""
        await self._database.create(self.schema)

    async def verify_schema(self) -> None:
        """Check the table, the server's settings, and that one connection sees the writes of another.

        Raises `InvalidSchema` with all faults and their remedies. Issues an `UnboundedWarning` without a timeout.
        """
        if not self._database.bounded:
            warn_unbounded(self)
        row = None if self._database.joined else self._probe
        await self._database.run(lambda connection: verify(connection, self.schema, row), reads=True)

    async def purge(self) -> int:
        """Remove all expired entries, and return their number."""
        now = self._clock.now()
        return await self._database.run(lambda connection: connection.execute(self._expired, {"now": now}).rowcount)

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        """Return the values in the order of the keys."""
        checks.check_entry(keys)
        now, found = self._clock.now(), dict[str, str]()
        for batch in _batches(sorted(set(keys))):
            found |= {
                row.key: _text(entry(row))
                for row in await self._rows(self._live, {"keys": batch, "now": now}, reads=True)
            }
        return [found.get(key) for key in keys]

    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        """Keep a value in place of any other."""
        checks.check_entry([key], value=value, ttl=ttl)
        await self._write([_row(key, value, self._clock.now() + ttl)], _replaced)

    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        """Keep a value only if the key is absent."""
        checks.check_entry([key], value=value, ttl=ttl)
        now = self._clock.now()
        row = _row(key, value, now + ttl)
        (stored,) = await self._write([row], lambda kept, new: _replaced(kept, new, kept.deadline <= now))
        return bool(stored.stamp == row["stamp"])

    async def pop(self, key: str, /) -> str | None:
        """Return a value and remove it."""
        checks.check_entry([key])
        now = self._clock.now()

        def work(connection: Connection) -> Sequence[Row[Any]]:
            return removed(
                connection,
                lambda: connection.execute(self._popped, {"key": key}).all(),
                lambda: connection.execute(self._live, {"keys": [key], "now": now}).first(),
            )

        live = [kept for row in await self._database.run(work) if (kept := entry(row))["deadline"] > now]
        return _text(live[0]) if live else None

    async def delete(self, key: str, /) -> bool:
        """Remove a key. Return True if a live one was removed."""
        return await self.pop(key) is not None

    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        """Add to each counter, in order."""
        checks.check_entry(keys, ttl=ttl)
        checks.check_step(by)
        times = Counter(keys)
        checks.check_step(by * max(times.values(), default=1))
        counts = dict[str, int]()
        for batch in _batches(sorted(times)):
            counts |= await self._count({key: by * times[key] for key in batch}, ttl, rising=by >= 0)
        results = list[int]()
        for key in keys:  # a key that occurs several times was incremented once, by the sum
            times[key] -= 1
            results.append(counts[key] - by * times[key])
        return results

    async def _count(self, steps: Mapping[str, int], ttl: timedelta, *, rising: bool) -> dict[str, int]:
        """Add a step to each key, and return the new counts."""
        now, stamp = self._clock.now(), _stamp()
        given = {"value": None, "stamp": stamp, "deadline": now + ttl}
        stored = await self._write(
            [{"key": key, "number": step, **given} for key, step in steps.items()],
            lambda kept, new: _counted(kept, new, kept.deadline <= now, rising=rising),
        )
        if any(row.stamp != stamp for row in stored):
            raise InvalidValue(Problem("key", "invalid", "holds a value that is not a whole number, or has no room"))
        return {row.key: entry(row)["number"] for row in stored}

    def _probe(self) -> dict[str, object]:
        """Make an entry with a random key, which lives long enough that no `purge` removes it meanwhile."""
        return _row(f"authx-verify-{secrets.token_hex()}", "", self._clock.now() + _MINUTE)

    async def _write(self, rows: Sequence[Mapping[str, Any]], kept: Kept) -> Sequence[Row[Any]]:
        statement = upsert(self._database.name, self._entries, rows, kept).returning(*self._columns)
        began = time.monotonic()
        stored = await self._rows(statement, {})
        if self._sweeping.is_due() and not self._database.joined:
            with suppress(Exception):  # the write was done; the next sweep does the rest
                await self._sweep(self._sweeping.timeout(began))
        return stored

    async def _sweep(self, within: float | None) -> None:
        """Remove some expired entries. A row that another writer has locked is left to the next sweep."""
        now, key = self._clock.now(), self._entries.c.key

        def work(connection: Connection) -> None:
            if self._database.is_mariadb:  # it takes no LIMIT in a subquery; by keys, it locks only these rows
                keys = sorted(connection.execute(self._oldest, {"now": now}).scalars())
                if keys:
                    connection.execute(self._expired.where(key.in_(keys)), {"now": now})
            else:
                free = self._oldest.with_for_update(skip_locked=True)
                connection.execute(self._expired.where(key.in_(free)), {"now": now})

        await self._database.run(work, within=within)

    async def _rows(
        self, statement: Executable, values: Mapping[str, object], *, reads: bool = False
    ) -> Sequence[Row[Any]]:
        return await self._database.run(lambda connection: connection.execute(statement, values).all(), reads=reads)


def _row(key: str, value: str, deadline: datetime) -> dict[str, object]:
    return {"key": key, "value": value, "number": checks.number(value), "stamp": _stamp(), "deadline": deadline}


def _stamp() -> int:
    """Make a number by which a writer recognises its own row."""
    return secrets.randbits(63)


def _replaced(kept: Any, new: Any, where: ColumnElement[bool] | None = None) -> dict[str, Any]:
    """Replace all columns; with a condition, only where it holds."""
    return {name: new[name] if where is None else case((where, new[name]), else_=kept[name]) for name in _COLUMNS}


def _counted(kept: Any, new: Any, expired: ColumnElement[bool], *, rising: bool) -> dict[str, Any]:
    """Restart an expired count; add to a live one if the sum fits into 64 bits; otherwise change nothing."""
    limit = limits.MAX_INTEGER - new.number if rising else -limits.MAX_INTEGER - new.number
    room = kept.number <= limit if rising else kept.number >= limit
    return {
        "stamp": case((or_(expired, room), new.stamp), else_=kept.stamp),
        "value": case((or_(expired, room), null()), else_=kept.value),
        "number": case((expired, new.number), (room, kept.number + new.number), else_=kept.number),
        "deadline": case((expired, new.deadline), else_=kept.deadline),
    }


def _text(kept: Mapping[str, Any]) -> str:
    return str(kept["number"] if kept["value"] is None else kept["value"])


def _batches(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH))
