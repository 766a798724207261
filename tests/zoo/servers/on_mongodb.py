"""Caches on MongoDB with one fault each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

from pymongo.errors import DuplicateKeyError
from pymongo.write_concern import WriteConcern

from authx_contract import SteppedClock
from authx_core.domain import InvalidValue, Problem, checks
from authx_core.ports import Cache
from zoo.correct.mongodb_cache import Entry, VersionedCache, unavailable
from zoo.machinery.lent import OnMongoDB
from zoo.machinery.registry import C, mutant


class CacheOnMongoDB(OnMongoDB):
    adapter: ClassVar[type[VersionedCache]]

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        return self.adapter(self.database()[f"{self.place}cache"], clock)


def broken(killer: str, sentence: str) -> Callable[[C], C]:
    """Put an adapter into the zoo."""

    def register(kind: C) -> C:
        home = {"adapter": kind, "__module__": kind.__module__}
        mutant(killer, sentence, needs="mongodb")(type(f"Mongo{kind.__name__}", (CacheOnMongoDB,), home))
        return kind

    return register


@broken("C-021", "pop is find_one, then delete_one")
class FindsThenDeletes(VersionedCache):
    async def pop(self, key: str, /) -> str | None:
        value = await self.get(key)
        with unavailable():
            await self._entries.delete_one({"_id": key})
        return value


@broken("C-022", "add is find_one, then a replace_one that inserts")
class FindsThenInserts(VersionedCache):
    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        checks.check_entry([key], value=value, ttl=ttl)
        if await self.get(key) is not None:
            return False
        await self.set(key, value, ttl=ttl)
        return True


@broken("C-023", "replace_one does not compare the version that was read")
class ReplacesAnyVersion(VersionedCache):
    async def _written(self, key: str, version: str | None, entry: Entry) -> bool:
        if entry is None:
            return await super()._written(key, version, entry)
        document = {"version": uuid4().hex, "value": entry[0], "deadline": entry[1]}
        await self._entries.replace_one({"_id": key}, document, upsert=True)
        return True


@broken("C-010", "only a TTL index removes expired entries, once a minute")
class LeavesExpiryToTheIndex(VersionedCache):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        checks.check_entry(keys)
        with unavailable():
            found = await self._entries.find({"_id": {"$in": list(keys)}}).to_list() if keys else []
        values = {each["_id"]: each["value"] for each in found}
        return [values.get(key) for key in keys]


@broken("C-015", "add is not acknowledged, so that no error is seen")
class DoesNotWaitForAnswers(VersionedCache):
    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        checks.check_entry([key], value=value, ttl=ttl)
        with unavailable():
            expired = {"_id": key, "deadline": {"$lte": self._now()}}
            await self._entries.delete_one(expired)
            hasty = self._entries.with_options(write_concern=WriteConcern(w=0))
            try:
                await hasty.insert_one({"_id": key, "version": "new", "value": value, "deadline": self._now(ttl)})
            except DuplicateKeyError:
                return False
        return True


@broken("C-012", "an increment raises a counter even if it has expired")
class IncrementsWhatExpired(VersionedCache):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        checks.check_entry(keys, ttl=ttl)
        checks.check_step(by)
        return [await self._count(key, by, ttl) for key in keys]

    async def _count(self, key: str, by: int, ttl: timedelta) -> int:
        new = {"value": "0", "version": "first", "deadline": self._now(ttl)}
        with unavailable():
            found: Any = await self._entries.find_one_and_update(
                {"_id": key}, {"$setOnInsert": new}, upsert=True, return_document=True
            )
        number = checks.number(found["value"])
        if number is None:
            raise InvalidValue(Problem("key", "invalid", "holds no whole number"))
        with unavailable():
            if await self._written(key, found["version"], (str(number + by), found["deadline"])):
                return number + by
        return await self._count(key, by, ttl)
