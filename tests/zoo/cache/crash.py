"""Caches that are cancelled half-way, or whose backend is down."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from zoo.machinery.registry import mutant
from zoo.machinery.small_cache import Keys

_DECADE = timedelta(days=3650)


@mutant("C-050", "the answer to a cancelled call goes to the next caller")
class AnswersShift(Keys):
    left: list[str | None] | None = None

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        answer, self.left = self.left, await super().get_many(keys)
        await asyncio.sleep(0)
        mine, self.left = self.left, None
        return mine if answer is None else answer


@mutant("C-051", "INCR, then EXPIRE")
class IncrThenExpire(Keys):
    async def start(self, key: str, by: int, ttl: timedelta) -> None:
        await super().start(key, by, _DECADE)
        await asyncio.sleep(0)
        self.entries.kept[key].deadline = self.deadline(ttl)


@mutant("C-051", "SETNX, then EXPIRE")
class SetnxThenExpire(Keys):
    async def put_new(self, key: str, value: str, ttl: timedelta) -> None:
        await self.put(key, value, _DECADE)
        await asyncio.sleep(0)
        self.entries.kept[key].deadline = self.deadline(ttl)


@mutant("C-052", "DEL, then SET")
class DelThenSet(Keys):
    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        self.check_entry(key, value, ttl)
        self.drop(key)
        await asyncio.sleep(0)
        await super().set(key, value, ttl=ttl)


@mutant("C-053", "the driver's error leaves the cache untranslated")
class CacheDriverError(Keys):
    async def reach(self) -> None:
        if self.entries.down:
            raise ConnectionRefusedError(111, "Connection refused")


@mutant("C-053", "an outage reads as absent keys")
class OutageIsAbsence(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        return [None for _ in keys] if self.entries.down else await super().get_many(keys)


@mutant("C-053", "after an outage the handle stays broken")
class CacheBrokenForGood(Keys):
    broken = False

    async def reach(self) -> None:
        self.entries.down = self.broken = self.entries.down or self.broken
        await super().reach()
