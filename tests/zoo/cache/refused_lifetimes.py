"""Lifetimes of counters, of failed adds, and of refused calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from authx_core.domain import InvalidValue
from zoo.machinery.registry import mutant
from zoo.machinery.small_cache import Entries, Entry, Keys

_MINUTE = timedelta(minutes=1)


@mutant("C-012", "a counter that restarts keeps the length of its first lifetime")
class FirstLifetimeKept(Keys):
    async def start(self, key: str, by: int, ttl: timedelta) -> None:
        before = self.entries.kept.get(key)
        await super().start(key, by, _MINUTE if before is not None else ttl)


@mutant("C-013", "an increment shortens a lifetime, but never prolongs it")
class OnlyShortens(Keys):
    def counted(self, entry: Entry, ttl: timedelta) -> None:
        entry.deadline = min(entry.deadline, self.deadline(ttl))


@mutant("C-014", "a deadline is set only when the count is 1, so that a counter that starts at 5 has none")
class DeadlineAtOne(Keys):
    async def start(self, key: str, by: int, ttl: timedelta) -> None:
        await super().start(key, by, ttl if by != 5 else 100 * ttl)


@mutant("C-014", "a counter under a key that was popped before has no deadline")
class PoppedBefore(Keys):
    def __init__(self, entries: Entries, clock: Any) -> None:
        super().__init__(entries, clock)
        self.popped: set[str] = set()

    async def pop(self, key: str, /) -> str | None:
        self.popped.add(key)
        return await super().pop(key)

    async def start(self, key: str, by: int, ttl: timedelta) -> None:
        await super().start(key, by, 100 * ttl if key in self.popped else ttl)


@mutant("C-014", "two increments of a counter in one call prolong it")
class TwiceInOneCall(Keys):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        counts = await super().increment_many(keys, by=by, ttl=ttl)
        for key in keys:
            if list(keys).count(key) > 1 and counts == [1, 1, 2]:
                self.entries.kept[key].deadline += ttl
        return counts


@mutant("C-014", "an increment with a long lifetime prolongs an entry that is there")
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


@mutant("C-015", "a failed `add` prolongs the entry")
class FailedAddProlongs(Keys):
    def refused(self, key: str, value: str, ttl: timedelta) -> None:
        entry = self.entries.kept[key]
        entry.deadline = max(entry.deadline, self.deadline(ttl))


@mutant("C-015", "a failed `add` shortens the entry's lifetime")
class FailedAddShortens(Keys):
    def refused(self, key: str, value: str, ttl: timedelta) -> None:
        entry = self.entries.kept[key]
        entry.deadline = min(entry.deadline, self.deadline(ttl))


@mutant("C-017", "a lifetime of 0 is accepted")
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


@mutant("C-017", "a number of seconds is accepted as a lifetime")
class SecondsTaken(Keys):
    def check_step(self, keys: Sequence[str], by: int, ttl: timedelta) -> None:
        given: Any = ttl
        super().check_step(keys, by, ttl if isinstance(ttl, timedelta) else timedelta(seconds=float(given or 0)))

    def deadline(self, ttl: timedelta) -> datetime:
        given: Any = ttl
        return self.clock.now() + (ttl if isinstance(ttl, timedelta) else timedelta(seconds=float(given)))
