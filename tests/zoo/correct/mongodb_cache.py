"""A correct cache on MongoDB by optimistic versions: read, decide, and write only if the version is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, Final, TypeAlias, TypeVar
from uuid import uuid4

from pymongo.errors import DuplicateKeyError, PyMongoError

from authx_contract import SteppedClock
from authx_core.domain import CacheUnavailable, InvalidValue, Problem, checks
from authx_core.ports import Cache, Clock
from zoo.machinery.lent import OnMongoDB
from zoo.machinery.registry import correct

T = TypeVar("T")
Entry: TypeAlias = tuple[str, int] | None
"""The value and its deadline, or None if the key has no live entry."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


class VersionedCache(Cache):
    """Every write gives its document a new, unique version."""

    def __init__(self, entries: Any, clock: Clock) -> None:
        self._entries, self._clock = entries, clock

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        checks.check_entry(keys)
        with unavailable():
            found = await self._entries.find({"_id": {"$in": list(keys)}}).to_list() if keys else []
        live = {each["_id"]: each["value"] for each in found if each["deadline"] > self._now()}
        return [live.get(key) for key in keys]

    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        checks.check_entry([key], value=value, ttl=ttl)
        await self._exchange(key, lambda _: ((value, self._now(ttl)), None))

    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        checks.check_entry([key], value=value, ttl=ttl)
        return await self._exchange(key, lambda entry: (entry or (value, self._now(ttl)), entry is None))

    async def pop(self, key: str, /) -> str | None:
        checks.check_entry([key])
        return await self._exchange(key, lambda entry: (None, entry and entry[0]))

    async def delete(self, key: str, /) -> bool:
        return await self.pop(key) is not None

    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        checks.check_entry(keys, ttl=ttl)
        checks.check_step(by)

        def count(entry: Entry) -> tuple[Entry, int]:
            text, deadline = entry or ("0", self._now(ttl))
            number = checks.number(text)
            if number is None:
                raise InvalidValue(Problem("key", "invalid", "holds no whole number"))
            checks.check_step(number + by)
            return (str(number + by), deadline), number + by

        return [await self._exchange(key, count) for key in keys]

    async def _exchange(self, key: str, change: Callable[[Entry], tuple[Entry, T]]) -> T:
        """Replace an entry by the result of `change`, and retry if its version has changed meanwhile."""
        with unavailable():
            while True:
                found = await self._entries.find_one({"_id": key})
                live = found is not None and found["deadline"] > self._now()
                before = (found["value"], found["deadline"]) if live else None
                after, result = change(before)
                if after == before or await self._written(key, found and found["version"], after):
                    return result

    async def _written(self, key: str, version: str | None, entry: Entry) -> bool:
        this = {"_id": key, "version": version}
        if entry is None:
            return bool((await self._entries.delete_one(this)).deleted_count)
        document = {"_id": key, "version": uuid4().hex, "value": entry[0], "deadline": entry[1]}
        if version is not None:
            return bool((await self._entries.replace_one(this, document)).matched_count)
        try:
            await self._entries.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    def _now(self, later: timedelta = timedelta(0)) -> int:
        return (self._clock.now() + later - _EPOCH) // timedelta(microseconds=1)


@contextmanager
def unavailable() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        raise CacheUnavailable(type(error).__name__) from error


@correct("entries in MongoDB, replaced by optimistic versions", needs="mongodb")
class OptimisticVersions(OnMongoDB):
    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        return VersionedCache(self.database()[f"{self.place}cache"], clock)
