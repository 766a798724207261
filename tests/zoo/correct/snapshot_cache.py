"""A correct cache in memory: an immutable snapshot, replaced by compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar

from authx_contract import Capabilities, Harness, SteppedClock, never_suspends
from authx_core.domain import InvalidValue, Problem, checks
from authx_core.ports import Cache, Clock
from zoo.machinery.registry import correct

T = TypeVar("T")
Snapshot: TypeAlias = Mapping[str, tuple[str, datetime]]
"""The value and the deadline of each key."""

NOTHING: Final[Snapshot] = MappingProxyType({})


class Cell:
    """A snapshot that any thread may compare and set."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.snapshot = NOTHING

    def compare_and_set(self, before: Snapshot, after: Snapshot) -> bool:
        with self._lock:
            if self.snapshot is not before:
                return False
            self.snapshot = after
            return True


class SnapshotCache(Cache):
    """Blocking; only the compare-and-set itself holds a lock."""

    def __init__(self, cell: Cell, clock: Clock) -> None:
        self._cell, self._clock = cell, clock

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        checks.check_entry(keys)
        live = self._live(self._cell.snapshot)
        return [live[key][0] if key in live else None for key in keys]

    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        checks.check_entry([key], value=value, ttl=ttl)
        self._exchange(lambda live: (live | {key: (value, self._clock.now() + ttl)}, None))

    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        checks.check_entry([key], value=value, ttl=ttl)

        def add(live: dict[str, tuple[str, datetime]]) -> tuple[Snapshot, bool]:
            added = {key: (value, self._clock.now() + ttl)}
            return added | live, key not in live

        return self._exchange(add)

    async def pop(self, key: str, /) -> str | None:
        checks.check_entry([key])

        def pop(live: dict[str, tuple[str, datetime]]) -> tuple[Snapshot, str | None]:
            entry = live.pop(key, None)
            return live, entry and entry[0]

        return self._exchange(pop)

    async def delete(self, key: str, /) -> bool:
        return await self.pop(key) is not None

    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        checks.check_entry(keys, ttl=ttl)
        checks.check_step(by)

        def count(live: dict[str, tuple[str, datetime]]) -> tuple[Snapshot, list[int]]:
            counts = list[int]()
            for key in keys:
                text, deadline = live.get(key, ("0", self._clock.now() + ttl))
                number = checks.number(text)
                if number is None:
                    raise InvalidValue(Problem("key", "invalid", "holds no whole number"))
                checks.check_step(number + by)
                counts.append(number + by)
                live[key] = (str(number + by), deadline)
            return live, counts

        return self._exchange(count)

    def _exchange(self, change: Callable[[dict[str, tuple[str, datetime]]], tuple[Snapshot, T]]) -> T:
        """Make the next snapshot from a copy of this one, and retry if another caller was faster."""
        while True:
            before = self._cell.snapshot
            after, result = change(self._live(before))
            if self._cell.compare_and_set(before, MappingProxyType(after)):
                return result

    def _live(self, snapshot: Snapshot) -> dict[str, tuple[str, datetime]]:
        now = self._clock.now()
        return {key: entry for key, entry in snapshot.items() if entry[1] > now}


@correct("entries in a snapshot that is replaced by compare-and-set, raced on threads")
class CompareAndSetSnapshots(Harness):
    capabilities = Capabilities(backend="memory")

    def __init__(self) -> None:
        self.cell = Cell()

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        return never_suspends(SnapshotCache(self.cell, clock))

    async def reset(self) -> None:
        self.cell = Cell()

    async def close(self) -> None:
        self.cell = Cell()
