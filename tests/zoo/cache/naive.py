"""A cache the way most projects write it: every step is right, and no operation is atomic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from authx_core.ports import Cache, Clock
from zoo.machinery.registry import mutant
from zoo.machinery.small_cache import Entries, Entry
from zoo.machinery.statements import statement


@mutant("C-021", "the usual cache: get, then set with expire; increment, then expire; delete the token after use")
class NaiveCache(Cache):
    def __init__(self, entries: Entries, clock: Clock) -> None:
        self.kept, self.clock = entries.kept, clock

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        await statement()
        live = [entry if entry and entry.deadline >= self.clock.now() else None for entry in map(self.kept.get, keys)]
        return [None if entry is None else entry.value for entry in live]

    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        await statement()
        self.kept[key] = Entry(value, self.clock.now() + timedelta(days=365))
        await self._expire(key, ttl)

    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        if await self.get(key):
            return False
        await self.set(key, value, ttl=ttl)
        return True

    async def pop(self, key: str, /) -> str | None:
        value = await self.get(key)
        await self.delete(key)
        return value

    async def delete(self, key: str, /) -> bool:
        await statement()
        return self.kept.pop(key, None) is not None

    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        return [await self._increment(key, by, ttl) for key in keys]

    async def _increment(self, key: str, by: int, ttl: timedelta) -> int:
        count = int(float(await self.get(key) or 0)) + by
        await self.set(key, str(count), ttl=ttl)
        return count

    async def _expire(self, key: str, ttl: timedelta) -> None:
        await statement()
        self.kept[key].deadline = self.clock.now() + timedelta(seconds=round(ttl.total_seconds()))
