"""Harnesses for adapters that are given as classes."""

from __future__ import annotations

from typing import Any, ClassVar

from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_contract import Capabilities, Harness, SteppedClock, never_suspends
from authx_core.ports import Cache, Clock, PasswordHasher, UserStore
from zoo.machinery.small_cache import Entries
from zoo.machinery.small_users import Table


def house(kind: type[object]) -> type[Harness]:
    """Return a harness for an adapter: the project's own adapters in memory race on threads, the zoo's as tasks."""
    homes: tuple[tuple[type[object], type[Harness]], ...] = (
        (MemoryUserStore, OneStore), (MemoryCache, OneCache),
        (UserStore, Stores), (Cache, Caches), (Clock, Clocks), (PasswordHasher, Hashers),
    )  # fmt: skip
    home = next(home for base, home in homes if issubclass(kind, base))
    return type(kind.__name__, (home,), {"adapter": kind, "__module__": kind.__module__})


class _Housed(Harness):
    adapter: ClassVar[Any]


class Clocks(_Housed):
    async def open_clock(self) -> Clock:
        clock: Clock = self.adapter()
        return clock


class Hashers(_Housed):
    """Their hashes have the scheme of `zoo.clock_and_hasher.hashers`."""

    outdated_hash = "$pbkdf2$1$c2FsdA==$a2e8701f94235d4d8ed601efb8cac75a1146c0643ccc4998465bbb375b2eb83a"
    excessive_hash = "$pbkdf2$1000000000$c2FsdA==$" + "0" * 64

    async def open_hasher(self) -> PasswordHasher:
        hasher: PasswordHasher = self.adapter()
        return hasher


class Stores(_Housed):
    """Handles over one table, which outlives them and can be down."""

    def __init__(self) -> None:
        self.table = Table()

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        store: UserStore = self.adapter(self.table)
        return store

    async def reset(self) -> None:
        self.table.empty()

    async def stop_backend(self) -> None:
        self.table.down = True

    async def start_backend(self) -> None:
        self.table.down = False


class Caches(_Housed):
    """Handles over one dictionary, which outlives them and can be down."""

    def __init__(self) -> None:
        self.entries = Entries()

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        cache: Cache = self.adapter(self.entries, clock)
        return cache

    async def reset(self) -> None:
        self.entries.empty()

    async def stored(self) -> int:
        return len(self.entries.kept)

    async def stop_backend(self) -> None:
        self.entries.down = True

    async def start_backend(self) -> None:
        self.entries.down = False


class _One(_Housed):
    """One blocking object, which is the data and the only handle."""

    capabilities = Capabilities(backend="memory", shared_handle=True)

    def __init__(self) -> None:
        self.handle: Any = None

    async def reset(self) -> None:
        self.handle = None

    async def close(self) -> None:
        self.handle = None


class OneStore(_One):
    async def open_users(self, _: SteppedClock, /) -> UserStore:
        self.handle = self.handle or self.adapter()
        store: UserStore = never_suspends(self.handle)
        return store


class OneCache(_One):
    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        self.handle = self.handle or self.adapter(clock)
        cache: Cache = never_suspends(self.handle)
        return cache
