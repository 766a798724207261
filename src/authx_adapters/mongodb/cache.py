"""A cache in MongoDB."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from bson.int64 import Int64
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError
from pymongo.write_concern import WriteConcern

from authx_adapters.common.encoding import microseconds
from authx_adapters.common.settle import settle
from authx_adapters.common.sweeping import SWEEP, Sweeping
from authx_adapters.mongodb import counters, indexes
from authx_adapters.mongodb.calls import Calls
from authx_adapters.mongodb.collections import AnyDatabase, Document, durable
from authx_adapters.mongodb.keys import by_id
from authx_adapters.mongodb.verify import verify
from authx_adapters.unbounded import warn_unbounded
from authx_core.domain import CacheUnavailable, checks
from authx_core.ports import Cache, Clock


class MongoCache(Cache):
    """Entries behind a `Database` or an `AsyncDatabase`, one document each.

    Every call is one atomic command and one round trip. Only `increment_many` needs one for each key: no command of
    MongoDB changes several documents and returns each.

    Lifetimes are measured by ``clock``: if the clocks of two processes differ, one of them sees an entry end earlier
    by the difference. Expired entries are never returned. Every hundredth write is followed by a sweep, which removes
    up to a thousand expired entries; `purge` removes them all. There is no TTL index: it follows the server's clock,
    and could remove an entry that is still live by ``clock``.

    Writes are acknowledged by a majority, as those of `MongoUserStore` are, so a used link stays used when a primary
    fails.
    """

    def __init__(
        self,
        database: AnyDatabase,
        clock: Clock,
        *,
        prefix: str = "authx_",
        timeout: timedelta | float | None = None,
    ) -> None:
        """Use the collection ``{prefix}cache``. `ensure_indexes` makes the index that `purge` needs to be fast.

        Every call ends within ``timeout`` (seconds or a timedelta), including the wait for a server and a connection.
        None leaves that to the client. Raises `InvalidValue` for an impossible timeout.
        """
        self._clock = clock
        self._call = Calls(database, CacheUnavailable, timeout)
        self._database = database
        self._entries = durable(database, f"{prefix}cache")
        self._swept = self._entries.with_options(write_concern=WriteConcern(1))  # a failover may undo it
        self._sweeping = Sweeping(timeout)

    async def ensure_indexes(self) -> None:
        """Make the index of deadlines if it is missing. Any number of processes may do so at once."""
        with self._call():
            missing = await indexes.missing(self._entries, indexes.CACHE)
        with self._call(unlimited=True):  # the time grows with the number of entries
            await indexes.make(self._entries, indexes.CACHE, missing)

    async def verify_schema(self) -> None:
        """Check everything that the promises depend on. Raises `InvalidSchema` with all faults and their remedies.

        Issues an `UnboundedWarning` if neither the cache nor the client has a timeout.
        """
        if not self._call.is_bounded:
            warn_unbounded(self)
        with self._call():
            await verify(self._database, [(self._entries, indexes.CACHE)])

    async def purge(self) -> int:
        """Remove all expired entries, and return their number."""
        with self._call():
            result = await settle(self._entries.delete_many(self._expired()))
        return result.deleted_count

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        """Return the values in the order of the keys."""
        checks.check_entry(keys)
        if not keys:
            return []
        cursor = self._entries.find(self._live({"$in": list(keys)}), batch_size=len(keys) + 1)
        with self._call():
            found: list[Document] = await settle(cursor.to_list())
        values = {entry["_id"]: str(entry["value"]) for entry in found}
        return [values.get(key) for key in keys]

    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        """Keep a value in place of any other."""
        checks.check_entry([key], value=value, ttl=ttl)
        began = time.monotonic()
        with self._call():
            await settle(self._entries.replace_one(by_id(key), self._entry(value, ttl), upsert=True))
        await self._written(began)

    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        """Keep a value only if the key is absent."""
        checks.check_entry([key], value=value, ttl=ttl)
        expired = by_id(key) | self._expired()
        began = time.monotonic()
        with self._call():
            try:
                await settle(self._entries.replace_one(expired, self._entry(value, ttl), upsert=True))
            except DuplicateKeyError:  # a live entry has this key
                return False
        await self._written(began)
        return True

    async def pop(self, key: str, /) -> str | None:
        """Return a value and remove it."""
        checks.check_entry([key])
        with self._call():
            found = await settle(self._entries.find_one_and_delete(self._live(key)))
        return None if found is None else str(found["value"])

    async def delete(self, key: str, /) -> bool:
        """Remove a key. Return True if a live one was removed."""
        checks.check_entry([key])
        with self._call():
            result = await settle(self._entries.delete_one(self._live(key)))
        return result.deleted_count == 1

    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        """Add to each counter, in order."""
        checks.check_entry(keys, ttl=ttl)
        checks.check_step(by)
        began = time.monotonic()
        with self._call():
            counts = [await self._count(key, by, ttl) for key in keys]
        await self._written(began)
        return counts

    async def _count(self, key: str, step: int, ttl: timedelta) -> int:
        now = self._clock.now()
        before = await settle(
            self._entries.find_one_and_update(
                by_id(key),
                counters.added(step, now=microseconds(now), deadline=microseconds(now + ttl)),
                upsert=True,
                return_document=ReturnDocument.BEFORE,
            )
        )
        return counters.count(before, step, now=microseconds(now))

    async def _written(self, began: float) -> None:
        """Sweep if it is due. A sweep that fails does not fail the call, since the write was done."""
        if self._sweeping.is_due():
            expired = self._expired()
            cursor = self._entries.find(expired, ["_id"], sort=["deadline"], limit=SWEEP, batch_size=SWEEP)
            with suppress(Exception), self._call(within=self._sweeping.timeout(began)):  # the next sweep does the rest
                found: list[Document] = await settle(cursor.to_list())
                await settle(self._swept.delete_many(expired | {"_id": {"$in": [entry["_id"] for entry in found]}}))

    def _expired(self) -> dict[str, Any]:
        return {"deadline": {"$lte": self._now()}}

    def _now(self) -> int:
        return microseconds(self._clock.now())

    def _live(self, key: str | dict[str, Any]) -> dict[str, Any]:
        return {"_id": key, "deadline": {"$gt": self._now()}}

    def _entry(self, value: str, ttl: timedelta) -> dict[str, Any]:
        """Make an entry. A text that is a whole number is kept as a number, so that it can be incremented."""
        number = checks.number(value)
        deadline = microseconds(self._clock.now() + ttl)
        return {"value": value if number is None else Int64(number), "deadline": deadline}
