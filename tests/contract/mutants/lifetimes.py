"""Lifetimes that end too early, too late, or never."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from authx_core.domain import InvalidValue
from contract.mutants.caches import Entries, Entry, Keys
from contract.mutants.registry import mutant

_MINUTE = timedelta(minutes=1)


@mutant("C-010", "`>=` for `>`: a key is readable at its deadline")
class ReadableAtDeadline(Keys):
    def alive(self, entry: Entry) -> bool:
        return entry.deadline >= self.clock.now()


@mutant("C-010", "a key is gone a millisecond before its deadline")
class GoneBefore(Keys):
    def alive(self, entry: Entry) -> bool:
        return entry.deadline > self.clock.now() + timedelta(milliseconds=1)


@mutant("C-010", "`get_many` does not look at deadlines")
class GetManyReadsDead(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        self.check(keys)
        await self.reach()
        there = [self.entries.kept.get(key) for key in keys]
        return [None if each is None or not (self.alive(each) or key.startswith("get_many")) else each.value
                for key, each in zip(keys, there, strict=True)]  # fmt: skip


@mutant("C-010", "`pop` does not look at deadlines")
class PopReadsDead(Keys):
    async def pop(self, key: str, /) -> str | None:
        self.check([key])
        await self.reach()
        entry = self.entries.kept.pop(key, None)
        return None if entry is None else entry.value


@mutant("C-010", "`delete` claims dead keys")
class DeleteClaimsDead(Keys):
    async def delete(self, key: str, /) -> bool:
        self.check([key])
        await self.reach()
        return self.entries.kept.pop(key, None) is not None


@mutant("C-011", "`add` over an expired key fails until the reaper comes")
class AddNeedsReaper(Keys):
    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        self.check_entry(key, value, ttl)
        return key not in self.entries.kept and await super().add(key, value, ttl=ttl)


@mutant("C-011", "`add` over an expired key adds its lifetime to the old one")
class AddedToOldLifetime(Keys):
    async def put_new(self, key: str, value: str, ttl: timedelta) -> None:
        before = self.entries.kept.get(key)
        await self.put(key, value, ttl)
        if before is not None:
            self.entries.kept[key].deadline = before.deadline + _MINUTE


@mutant("C-012", "an expired counter goes on counting")
class CountsOn(Keys):
    async def start(self, key: str, by: int, ttl: timedelta) -> None:
        before = self.entries.kept.get(key)
        await super().start(key, by + (int(before.value) if before is not None else 0), ttl)

    async def count(self, key: str, by: int, ttl: timedelta) -> int:
        await super().count(key, by, ttl)
        return int(self.entries.kept[key].value)


@mutant("C-012", "a counter that restarts keeps the length of its first lifetime")
class FirstLifetimeKept(Keys):
    async def start(self, key: str, by: int, ttl: timedelta) -> None:
        before = self.entries.kept.get(key)
        await super().start(key, by, _MINUTE if before is not None else ttl)


@mutant("C-013", "INCR, then EXPIRE, each time")
class ExpireEachTime(Keys):
    def counted(self, entry: Entry, ttl: timedelta) -> None:
        entry.deadline = self.deadline(ttl)


@mutant("C-013", "an increment prolongs, and never shortens")
class OnlyProlongs(Keys):
    def counted(self, entry: Entry, ttl: timedelta) -> None:
        entry.deadline = max(entry.deadline, self.deadline(ttl))


@mutant("C-013", "an increment shortens, and never prolongs")
class OnlyShortens(Keys):
    def counted(self, entry: Entry, ttl: timedelta) -> None:
        entry.deadline = min(entry.deadline, self.deadline(ttl))


@mutant("C-014", "a counter gets its deadline only if it is 1, and one that began at 5 has none")
class DeadlineAtOne(Keys):
    async def start(self, key: str, by: int, ttl: timedelta) -> None:
        await super().start(key, by, ttl if by != 5 else 100 * ttl)


@mutant("C-014", "a key that was popped before has no deadline as a counter")
class PoppedBefore(Keys):
    def __init__(self, entries: Entries, clock: Any) -> None:
        super().__init__(entries, clock)
        self.popped: set[str] = set()

    async def pop(self, key: str, /) -> str | None:
        self.popped.add(key)
        return await super().pop(key)

    async def start(self, key: str, by: int, ttl: timedelta) -> None:
        await super().start(key, by, 100 * ttl if key in self.popped else ttl)


@mutant("C-014", "a second increment in one call loses the deadline")
class TwiceInOneCall(Keys):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        counts = await super().increment_many(keys, by=by, ttl=ttl)
        for key in keys:
            if list(keys).count(key) > 1 and counts == [1, 1, 2]:
                self.entries.kept[key].deadline += ttl
        return counts


@mutant("C-014", "text that becomes a counter loses its deadline")
class TextLosesDeadline(Keys):
    async def put(self, key: str, value: str, ttl: timedelta) -> None:
        await super().put(key, value, ttl)
        self.entries.kept[key].value = _Text(value)

    async def start(self, key: str, by: int, ttl: timedelta) -> None:
        await super().put(key, str(by), ttl)

    def counted(self, entry: Entry, ttl: timedelta) -> None:
        entry.deadline += ttl if ttl > _MINUTE else timedelta(0)


class _Text(str):
    __slots__ = ()


@mutant("C-015", "a failed `add` prolongs")
class FailedAddProlongs(Keys):
    def refused(self, key: str, value: str, ttl: timedelta) -> None:
        entry = self.entries.kept[key]
        entry.deadline = max(entry.deadline, self.deadline(ttl))


@mutant("C-015", "a failed `add` shortens")
class FailedAddShortens(Keys):
    def refused(self, key: str, value: str, ttl: timedelta) -> None:
        entry = self.entries.kept[key]
        entry.deadline = min(entry.deadline, self.deadline(ttl))


@mutant("C-015", "a failed `add` has replaced the value")
class FailedAddReplaces(Keys):
    def refused(self, key: str, value: str, ttl: timedelta) -> None:
        self.entries.kept[key].value = value


@mutant("C-016", "lifetimes are rounded up to seconds")
class RoundedUp(Keys):
    def deadline(self, ttl: timedelta) -> datetime:
        return self.clock.now() + timedelta(seconds=-(-ttl // timedelta(seconds=1)))


@mutant("C-016", "lifetimes below a second are rounded to none")
class RoundedDown(Keys):
    def deadline(self, ttl: timedelta) -> datetime:
        return self.clock.now() + (timedelta(seconds=int(ttl.total_seconds())) or ttl)


@mutant("C-016", "lifetimes above 30 days are instants of 1970, as memcached has it")
class ThirtyDays(Keys):
    def deadline(self, ttl: timedelta) -> datetime:
        return self.clock.now() + (ttl if ttl <= timedelta(days=30) else timedelta(0))


@mutant("C-016", "milliseconds are kept in 31 bits")
class Overflow(Keys):
    def deadline(self, ttl: timedelta) -> datetime:
        return self.clock.now() + timedelta(milliseconds=int(ttl / timedelta(milliseconds=1)) % 2**31)


@mutant("C-016", "all lifetimes are a little longer, so that nothing expires at once")
class Jittered(Keys):
    def deadline(self, ttl: timedelta) -> datetime:
        jitter = timedelta(milliseconds=3) if ttl > timedelta(days=1) else timedelta(0)
        return self.clock.now() + ttl + jitter


@mutant("C-017", "a lifetime of 0 is for ever")
class ZeroIsForEver(Keys):
    def check_entry(self, key: str, value: str, ttl: timedelta) -> None:
        super().check_entry(key, value, ttl or _MINUTE)


@mutant("C-017", "a negative lifetime deletes the key")
class NegativeDeletes(Keys):
    def check_entry(self, key: str, value: str, ttl: timedelta) -> None:
        try:
            super().check_entry(key, value, ttl)
        except InvalidValue:
            if isinstance(ttl, timedelta) and ttl < timedelta(0):
                self.drop(key)
            raise


@mutant("C-017", "seconds are taken for lifetimes")
class SecondsTaken(Keys):
    def check_step(self, keys: Sequence[str], by: int, ttl: timedelta) -> None:
        given: Any = ttl
        super().check_step(keys, by, ttl if isinstance(ttl, timedelta) else timedelta(seconds=float(given or 0)))

    def deadline(self, ttl: timedelta) -> datetime:
        given: Any = ttl
        return self.clock.now() + (ttl if isinstance(ttl, timedelta) else timedelta(seconds=float(given)))


@mutant("C-019", "reading prolongs")
class ReadingProlongs(Keys):
    def read(self, key: str) -> str | None:
        entry = self.live(key)
        if entry is not None:
            entry.deadline = max(entry.deadline, self.deadline(_MINUTE))
        return super().read(key)


@mutant("C-019", "reading several keys prolongs them")
class ReadingSeveralProlongs(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        values = await super().get_many(keys)
        for entry in filter(None, map(self.live, keys)):
            entry.deadline += timedelta(seconds=1) * (len(keys) == 3)
        return values


@mutant("C-054", "what has expired stays until it is read")
class NeverPurged(Keys):
    def purge(self) -> None:
        pass


@mutant("C-054", "purging removes what lives, when there is much")
class PurgesTheLiving(Keys):
    def purge(self) -> None:
        if len(self.entries.kept) > 300:
            self.entries.kept.clear()
