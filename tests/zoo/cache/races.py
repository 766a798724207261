"""Caches in which another caller comes between two steps, or changes what a handle keeps."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

from authx_adapters.memory import MemoryCache
from authx_core.domain import checks
from authx_core.ports import Clock
from zoo.machinery.registry import mutant
from zoo.machinery.small_cache import Entries, Entry, Keys


@mutant("C-021", "GET, then DEL")
class GetThenDelete(Keys):
    pauses = frozenset({"pop: read"})


@mutant("C-021", "get, then delete, without a lock")
class UnlockedPop(MemoryCache):
    async def pop(self, key: str, /) -> str | None:
        value = await self.get(key)
        await super().pop(key)
        return value


@mutant("C-022", "a new key is looked up, then set")
class NewKeyLookedUp(Keys):
    async def put_new(self, key: str, value: str, ttl: timedelta) -> None:
        if key not in self.entries.kept:
            await asyncio.sleep(0)
        await self.put(key, value, ttl)


@mutant("C-022", "look up, then set, without a lock")
class UnlockedAdd(MemoryCache):
    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        if await self.get(key) is not None:
            return False
        await super().set(key, value, ttl=ttl)
        return True


@mutant("C-023", "read, add, then write")
class ReadThenWrite(Keys):
    async def count(self, key: str, by: int, ttl: timedelta) -> int:
        entry = self.live(key)
        number = 0 if entry is None else self.whole(entry.value)
        await asyncio.sleep(0)
        if entry is None:
            await self.start(key, by, ttl)
            return by
        entry.value = str(self.sum(number, by))
        return number + by


@mutant("C-023", "read, add, then write, without a lock")
class UnlockedCount(MemoryCache):
    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._lock: Any = nullcontext()  # type: ignore[misc]  # the fault


@mutant("C-024", "`add` removes an expired key, and sets it in a second step")
class RemovedThenSet(Keys):
    async def put_new(self, key: str, value: str, ttl: timedelta) -> None:
        if key in self.entries.kept:
            await asyncio.sleep(0)
        await self.put(key, value, ttl)


@mutant("C-025", "`pop` marks the entry as dead, and then deletes any value that the key has")
class PopRemovesAny(Keys):
    async def pop(self, key: str, /) -> str | None:
        self.check([key])
        await self.reach()
        entry = self.live(key)
        if entry is None:
            return None
        self.entries.kept[key] = Entry("", self.clock.now())
        await asyncio.sleep(0)
        self.drop(key)
        return entry.value


@mutant("C-026", "an increment reads a counter before it expires, and writes it after")
class WritesAfterExpiry(Keys):
    async def count(self, key: str, by: int, ttl: timedelta) -> int:
        entry = self.live(key)
        if entry is not None:
            await asyncio.sleep(0)
            entry.value = str(self.sum(self.whole(entry.value), by))
            self.entries.kept[key] = entry
            return int(entry.value)
        return await super().count(key, by, ttl)


@mutant("C-040", "each handle caches the values that it has read")
class NearCache(Keys):
    def __init__(self, entries: Entries, clock: Clock) -> None:
        super().__init__(entries, clock)
        self.near: dict[str, Entry] = {}

    def read(self, key: str) -> str | None:
        entry = self.near.get(key)
        if entry is None or not self.alive(entry):
            entry = self.live(key)
            if entry is not None:
                self.near[key] = entry
        return None if entry is None else entry.value

    def drop(self, key: str) -> None:
        self.near.pop(key, None)
        super().drop(key)

    async def put(self, key: str, value: str, ttl: timedelta) -> None:
        self.near.pop(key, None)
        await super().put(key, value, ttl)


@mutant("C-040", "each handle remembers that a key is absent")
class AbsenceRemembered(Keys):
    def __init__(self, entries: Entries, clock: Clock) -> None:
        super().__init__(entries, clock)
        self.absent: set[str] = set()

    def read(self, key: str) -> str | None:
        value = None if key in self.absent else super().read(key)
        if value is None:
            self.absent.add(key)
        return value

    async def put(self, key: str, value: str, ttl: timedelta) -> None:
        self.absent.discard(key)
        await super().put(key, value, ttl)


@mutant("C-090", "a counter that starts again after a delete keeps its old deadline")
class DeletedCounterEnds(Keys):
    def __init__(self, entries: Entries, clock: Clock) -> None:
        super().__init__(entries, clock)
        self.deleted = dict[str, Entry]()

    def drop(self, key: str) -> None:
        self.deleted[key] = self.entries.kept[key]
        super().drop(key)

    async def start(self, key: str, by: int, ttl: timedelta) -> None:
        await super().start(key, by, ttl)
        if key in self.deleted and self.alive(self.deleted[key]):
            self.entries.kept[key].deadline = self.deleted[key].deadline


@mutant("C-090", "a counter goes on from its old value after a pop")
class PoppedGoesOn(Keys):
    def __init__(self, entries: Entries, clock: Clock) -> None:
        super().__init__(entries, clock)
        self.popped = dict[str, Entry]()

    async def pop(self, key: str, /) -> str | None:
        entry = self.live(key)
        value = await super().pop(key)
        if entry is not None and checks.number(entry.value) is not None:
            self.popped[key] = entry
        return value

    async def count(self, key: str, by: int, ttl: timedelta) -> int:
        entry = self.popped.pop(key, None)
        if entry is not None and self.alive(entry) and self.live(key) is None:
            self.entries.kept[key] = entry
        return await super().count(key, by, ttl)


@mutant("C-090", "the first pop of an expired key that was added again finds nothing")
class AddedAnewNotPopped(Keys):
    def __init__(self, entries: Entries, clock: Clock) -> None:
        super().__init__(entries, clock)
        self.anew = set[str]()

    async def put_new(self, key: str, value: str, ttl: timedelta) -> None:
        self.anew |= {key} & self.entries.kept.keys()
        await super().put_new(key, value, ttl)

    async def pop(self, key: str, /) -> str | None:
        if key in self.anew:
            self.anew.discard(key)
            return None
        return await super().pop(key)
