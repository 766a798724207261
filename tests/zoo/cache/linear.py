"""Caches that are right for one caller and in races of one kind of call: only whole histories reveal the fault."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import attrs

from zoo.machinery.housing import Caches
from zoo.machinery.registry import mutant
from zoo.machinery.small_cache import Entries, Entry, Keys

BUSY = frozenset({"request", "answer"})


class BusyKeys(Keys):
    pauses = BUSY


@mutant("C-091", "two concurrent deletes of a live key both return True")
class DeletesTwice(BusyKeys):
    async def delete(self, key: str, /) -> bool:
        self.check([key])
        await self.reach()
        there = self.live(key) is not None
        await self.pause("answer")
        if there:
            self.drop(key)
        return there


@attrs.define
class Counted(Entries):
    lock: asyncio.Lock = attrs.field(factory=asyncio.Lock)


@mutant("C-091", "increments lock out one another, but not `set` or `pop`")
class CountsBesideOthers(Caches):
    class Adapter(Keys):
        pauses = BUSY | {"count: read"}
        entries: Counted

        async def count(self, key: str, by: int, ttl: timedelta) -> int:
            async with self.entries.lock:
                return await super().count(key, by, ttl)

    adapter = Adapter

    def __init__(self) -> None:
        self.entries = Counted()


@attrs.define
class Copied(Entries):
    copy: dict[str, Entry] = attrs.field(factory=dict[str, Entry])

    def empty(self) -> None:
        super().empty()
        self.copy.clear()


@mutant("C-091", "a read fills a copy in the process with a value that a write has replaced meanwhile")
class FillsItsCopyTooLate(Caches):
    class Adapter(BusyKeys):
        entries: Copied

        async def get(self, key: str, /) -> str | None:
            self.check([key])
            await self.reach()
            entry = self.entries.copy.get(key)
            if entry is None or not self.alive(entry):
                entry = self.live(key)
                entry = entry and attrs.evolve(entry)
                await self.pause("answer")
                if entry is not None:
                    self.entries.copy[key] = entry
            return None if entry is None else entry.value

        async def put(self, key: str, value: str, ttl: timedelta) -> None:
            await super().put(key, value, ttl)
            self.entries.copy.pop(key, None)

        def drop(self, key: str) -> None:
            super().drop(key)
            self.entries.copy.pop(key, None)

        async def count(self, key: str, by: int, ttl: timedelta) -> int:
            counted = await super().count(key, by, ttl)
            self.entries.copy.pop(key, None)
            return counted

    adapter = Adapter

    def __init__(self) -> None:
        self.entries = Copied()
