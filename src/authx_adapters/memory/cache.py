"""A bounded cache in memory.

Values and counters have separate room, so that neither evicts the other. Each write also examines the two entries that
were examined longest ago, and drops them if they have expired. So every operation costs the same, however many entries
there are, and expired entries do not stay.

When the room is full, a live entry is evicted. Of values it is the oldest. Of counters it is the oldest that was **hit
once**: a flood of new keys consists of such counters, so it evicts only its own. A counter that was hit more than once
is on its way to a limit, and stays until its lifetime ends. If all counters are of this kind, a new one is refused as
`CacheUnavailable`, and the policy of the limit decides. ``size`` should therefore exceed the number of logins and
clients in a window.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

import attrs

from authx_adapters.common.forks import forkable
from authx_core.domain import checks, limits, reasons
from authx_core.domain.errors import CacheUnavailable, InvalidValue, Problem
from authx_core.ports import Cache, Clock

_SWEEP: Final = 2
"""Entries that a write examines: more than one, so that the sweep is faster than the growth."""


@attrs.define
class _Entry:
    value: str | int
    deadline: datetime


class _Room:
    """At most ``size`` entries; ``_loose`` holds the keys that may be evicted, oldest first."""

    def __init__(self, size: int) -> None:
        self.entries: OrderedDict[str, _Entry] = OrderedDict()
        self._loose: OrderedDict[str, None] = OrderedDict()
        self._size = size
        self._soonest: datetime | None = None

    def put(self, key: str, entry: _Entry, *, loose: bool, now: datetime) -> None:
        """Keep an entry, and evict another if the room is full. Raises `CacheUnavailable` if none may be evicted."""
        self._sweep(now)
        if key not in self.entries and len(self.entries) >= self._size:
            self._evict(now)
        self.entries[key] = entry
        self._loose.pop(key, None)
        if loose:
            self._loose[key] = None
        if self._soonest is not None:
            self._soonest = min(self._soonest, entry.deadline)

    def hold(self, key: str) -> None:
        """Never evict this entry before its lifetime ends."""
        self._loose.pop(key, None)

    def drop(self, key: str) -> None:
        """Remove an entry."""
        del self.entries[key]
        self._loose.pop(key, None)

    def _sweep(self, now: datetime) -> None:
        for _ in range(min(_SWEEP, len(self.entries))):
            key = next(iter(self.entries))
            if self.entries[key].deadline <= now:
                self.drop(key)
            else:
                self.entries.move_to_end(key)

    def _evict(self, now: datetime) -> None:
        if self._loose:
            self.drop(next(iter(self._loose)))
            return
        if self._soonest is None or self._soonest <= now:  # otherwise nothing has expired
            for key in [key for key, entry in self.entries.items() if entry.deadline <= now]:
                self.drop(key)
            self._soonest = min((entry.deadline for entry in self.entries.values()), default=None)
        if len(self.entries) >= self._size:
            raise CacheUnavailable("its room is full of counters that were hit more than once: give it a larger size")


class MemoryCache(Cache):
    """At most ``size`` values and ``size`` counters in this process's memory, for any number of threads."""

    def __init__(self, clock: Clock, *, size: int = 100_000) -> None:
        """Measure lifetimes by ``clock``. Raises `InvalidValue` for a ``size`` below 1."""
        if size < 1:
            raise InvalidValue(Problem("size", "out_of_range", "must be at least 1"))
        self._clock = clock
        self._now = clock.now()
        self._lock: Final = forkable(Lock())
        self._values, self._counters = _Room(size), _Room(size)

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        """Return the values in the order of the keys."""
        checks.check_entry(keys)
        with self._lock:
            now = self._present()
            return [None if (found := self._find(key, now)) is None else str(found[1].value) for key in keys]

    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        """Keep a value in place of any other."""
        checks.check_entry([key], value=value, ttl=ttl)
        with self._lock:
            now = self._present()
            self._discard(key, now)
            self._values.put(key, _Entry(value, now + ttl), loose=True, now=now)

    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        """Keep a value only if the key is absent."""
        checks.check_entry([key], value=value, ttl=ttl)
        with self._lock:
            now = self._present()
            if self._find(key, now):
                return False
            self._values.put(key, _Entry(value, now + ttl), loose=True, now=now)
            return True

    async def pop(self, key: str, /) -> str | None:
        """Return a value and remove it."""
        checks.check_entry([key])
        with self._lock:
            entry = self._discard(key, self._present())
            return None if entry is None else str(entry.value)

    async def delete(self, key: str, /) -> bool:
        """Remove a key. Return True if a live one was removed."""
        return await self.pop(key) is not None

    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        """Add to each counter, in order."""
        checks.check_entry(keys, ttl=ttl)
        checks.check_step(by)
        with self._lock:
            now = self._present()
            return [self._increment(key, by, ttl, now) for key in keys]

    def _increment(self, key: str, by: int, ttl: timedelta, now: datetime) -> int:
        found = self._find(key, now)
        if found is None:
            self._counters.put(key, _Entry(by, now + ttl), loose=True, now=now)
            return by
        room, entry = found
        count = _sum(entry.value, by)
        entry.value = count if room is self._counters else str(count)
        room.hold(key)
        return count

    def _present(self) -> datetime:
        """Return the present, never earlier than before: a clock that is set back revives no entry."""
        self._now = max(self._now, self._clock.now())
        return self._now

    def _find(self, key: str, now: datetime) -> tuple[_Room, _Entry] | None:
        for room in (self._values, self._counters):
            entry = room.entries.get(key)
            if entry is not None:
                if entry.deadline > now:
                    return room, entry
                room.drop(key)
        return None

    def _discard(self, key: str, now: datetime) -> _Entry | None:
        found = self._find(key, now)
        if found is None:
            return None
        room, entry = found
        room.drop(key)
        return entry


def _sum(value: str | int, by: int) -> int:
    """Return the sum. Raises `InvalidValue` for a value that is not a whole number, and beyond 64 bits."""
    number = checks.number(value) if isinstance(value, str) else value
    if number is None or not reasons.is_whole(number + by, -limits.MAX_INTEGER, limits.MAX_INTEGER):
        raise InvalidValue(Problem("key", "invalid", "holds a value that is not a whole number, or has no room"))
    return number + by
