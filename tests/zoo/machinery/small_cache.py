"""A correct cache in memory of small methods: a mutant overrides one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

import attrs

from authx_core.domain import CacheUnavailable, InvalidValue, Problem, checks
from authx_core.ports import Cache, Clock


@attrs.define
class Entry:
    value: str
    deadline: datetime


@attrs.define
class Entries:
    """The data that all handles share."""

    kept: dict[str, Entry] = attrs.field(factory=dict[str, Entry])
    down: bool = False

    def empty(self) -> None:
        self.kept.clear()
        self.down = False


class Keys(Cache):
    """Each step is a method. At the places named in `pauses`, an operation lets other tasks run."""

    pauses: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, entries: Entries, clock: Clock) -> None:
        self.entries, self.clock = entries, clock

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        self.check(keys)
        await self.reach()
        return [self.read(key) for key in keys]

    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        self.check_entry(key, value, ttl)
        await self.reach()
        await self.put(key, value, ttl)
        await self.pause("answer")

    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        self.check_entry(key, value, ttl)
        await self.reach()
        if self.live(key) is not None:
            self.refused(key, value, ttl)
            return False
        await self.pause("add: looked up")
        await self.put_new(key, value, ttl)
        await self.pause("answer")
        return True

    async def pop(self, key: str, /) -> str | None:
        self.check([key])
        await self.reach()
        entry = self.live(key)
        await self.pause("pop: read")
        if entry is not None:
            self.drop(key)
        await self.pause("answer")
        return None if entry is None else entry.value

    async def delete(self, key: str, /) -> bool:
        self.check([key])
        await self.reach()
        there = self.live(key) is not None
        if there:
            self.drop(key)
        await self.pause("answer")
        return there

    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        self.check_step(keys, by, ttl)
        await self.reach()
        counts = [await self.count(key, by, ttl) for key in keys]
        await self.pause("answer")
        return counts

    # Steps

    async def reach(self) -> None:
        """Reach the backend."""
        await self.pause("request")
        if self.entries.down:
            raise CacheUnavailable("the dictionary is down")

    async def pause(self, where: str) -> None:
        if where in self.pauses:
            await asyncio.sleep(0)

    def check(self, keys: Sequence[str]) -> None:
        checks.check_entry(keys)

    def check_entry(self, key: str, value: str, ttl: timedelta) -> None:
        checks.check_entry([key], value=value, ttl=ttl)

    def check_step(self, keys: Sequence[str], by: int, ttl: timedelta) -> None:
        checks.check_entry(keys, ttl=ttl)
        checks.check_step(by)

    def name(self, key: str) -> str:
        """Return the form in which a key is stored."""
        return key

    def alive(self, entry: Entry) -> bool:
        return entry.deadline > self.clock.now()

    def deadline(self, ttl: timedelta) -> datetime:
        return self.clock.now() + ttl

    def live(self, key: str) -> Entry | None:
        entry = self.entries.kept.get(self.name(key))
        return entry if entry is not None and self.alive(entry) else None

    def read(self, key: str) -> str | None:
        entry = self.live(key)
        return None if entry is None else entry.value

    async def put(self, key: str, value: str, ttl: timedelta) -> None:
        self.purge()
        self.entries.kept[self.name(key)] = Entry(self.kept(value), self.deadline(ttl))

    async def put_new(self, key: str, value: str, ttl: timedelta) -> None:
        await self.put(key, value, ttl)

    def kept(self, value: str) -> str:
        """Return a value as it is stored."""
        return value

    def refused(self, key: str, value: str, ttl: timedelta) -> None:
        """Called when `add` finds a live key."""

    def drop(self, key: str) -> None:
        self.entries.kept.pop(self.name(key), None)

    async def count(self, key: str, by: int, ttl: timedelta) -> int:
        entry = self.live(key)
        await self.pause("count: read")
        if entry is None:
            await self.start(key, by, ttl)
            return by
        count = self.sum(self.whole(entry.value), by)
        entry.value = str(count)
        self.counted(entry, ttl)
        return count

    async def start(self, key: str, by: int, ttl: timedelta) -> None:
        await self.put(key, str(by), ttl)

    def whole(self, value: str) -> int:
        number = checks.number(value)
        if number is None:
            raise InvalidValue(Problem("key", "invalid", "holds no whole number"))
        return number

    def sum(self, number: int, by: int) -> int:
        checks.check_step(number + by)
        return number + by

    def counted(self, entry: Entry, ttl: timedelta) -> None:
        """Called after a live counter was incremented."""

    def purge(self) -> None:
        """Delete expired entries."""
        for name in [name for name, entry in self.entries.kept.items() if not self.alive(entry)]:
            del self.entries.kept[name]
