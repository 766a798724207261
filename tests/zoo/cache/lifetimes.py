"""Lifetimes that end too early, too late, or never."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from zoo.machinery.registry import mutant
from zoo.machinery.small_cache import Keys

_MINUTE = timedelta(minutes=1)


@mutant("C-010", "`get_many` ignores deadlines")
class GetManyReadsDead(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        self.check(keys)
        await self.reach()
        there = [self.entries.kept.get(key) for key in keys]
        return [None if each is None or not (self.alive(each) or key.startswith("get_many")) else each.value
                for key, each in zip(keys, there, strict=True)]  # fmt: skip


@mutant("C-010", "`delete` of an expired key returns True")
class DeleteClaimsDead(Keys):
    async def delete(self, key: str, /) -> bool:
        self.check([key])
        await self.reach()
        return self.entries.kept.pop(key, None) is not None


@mutant("C-011", "`add` over an expired key adds its lifetime to the old one")
class AddedToOldLifetime(Keys):
    async def put_new(self, key: str, value: str, ttl: timedelta) -> None:
        before = self.entries.kept.get(key)
        await self.put(key, value, ttl)
        if before is not None:
            self.entries.kept[key].deadline = before.deadline + _MINUTE


@mutant("C-016", "lifetimes are rounded up to seconds")
class RoundedUp(Keys):
    def deadline(self, ttl: timedelta) -> datetime:
        return self.clock.now() + timedelta(seconds=-(-ttl // timedelta(seconds=1)))


@mutant("C-016", "lifetimes are rounded down to seconds")
class RoundedDown(Keys):
    def deadline(self, ttl: timedelta) -> datetime:
        return self.clock.now() + (timedelta(seconds=int(ttl.total_seconds())) or ttl)


@mutant("C-016", "lifetimes above 30 days are taken for Unix timestamps, as in memcached")
class ThirtyDays(Keys):
    def deadline(self, ttl: timedelta) -> datetime:
        return self.clock.now() + (ttl if ttl <= timedelta(days=30) else timedelta(0))


@mutant("C-016", "lifetimes in milliseconds overflow at 31 bits")
class Overflow(Keys):
    def deadline(self, ttl: timedelta) -> datetime:
        return self.clock.now() + timedelta(milliseconds=int(ttl / timedelta(milliseconds=1)) % 2**31)


@mutant("C-016", "long lifetimes get 3 ms more, so that entries do not expire together")
class Jittered(Keys):
    def deadline(self, ttl: timedelta) -> datetime:
        jitter = timedelta(milliseconds=3) if ttl > timedelta(days=1) else timedelta(0)
        return self.clock.now() + ttl + jitter


@mutant("C-019", "reading several keys prolongs their lifetimes")
class ReadingSeveralProlongs(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        values = await super().get_many(keys)
        for entry in filter(None, map(self.live, keys)):
            entry.deadline += timedelta(seconds=1) * (len(keys) == 3)
        return values


@mutant("C-054", "expired entries are never purged")
class NeverPurged(Keys):
    def purge(self) -> None:
        pass


@mutant("C-054", "a purge of many entries deletes live ones too")
class PurgesTheLiving(Keys):
    def purge(self) -> None:
        if len(self.entries.kept) > 300:
            self.entries.kept.clear()
