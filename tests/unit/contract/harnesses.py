"""Harnesses over the memory adapters: honest, dishonest and unusable ones."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, cast

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_contract import Capabilities, Harness, SteppedClock, Waiver, never_suspends
from authx_core.ports import Cache, Clock, UserStore


class Honest(Harness):
    name = "honest"
    capabilities = Capabilities(backend="memory", shared_handle=True)

    def __init__(self) -> None:
        self.users: UserStore | None = None
        self.cache: Cache | None = None

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        self.users = self.users or MemoryUserStore()
        return never_suspends(self.users)

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        self.cache = self.cache or MemoryCache(clock)
        return never_suspends(self.cache)

    async def reset(self) -> None:
        self.users = self.cache = None

    async def close(self) -> None:
        await self.reset()


class ResetDoesNothing(Honest):
    async def reset(self) -> None: ...

    async def close(self) -> None: ...


class ResetKeepsTheFile(Honest):
    """A harness whose reset does nothing, over a store that outlives it."""

    capabilities = Capabilities(backend="embedded", shared_handle=True)
    file = MemoryUserStore()
    open_cache = Harness.open_cache

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        return never_suspends(self.file)


class OneSharedHandle(Honest):
    capabilities = Capabilities(backend="memory")


class UnrelatedHandles(Honest):
    capabilities = Capabilities(backend="memory")

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        return MemoryUserStore()

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        return MemoryCache(clock)


class Server(Harness):
    """A cache with its own clock."""

    capabilities = Capabilities(clock="server", backend="memory", shared_handle=True)

    def __init__(self) -> None:
        self.own = ManualClock()
        self.cache: Cache | None = None

    async def open_cache(self, _: SteppedClock, /) -> Cache:
        self.cache = self.cache or MemoryCache(self.own)
        return never_suspends(self.cache)

    async def reset(self) -> None:
        self.cache = None


class Rewinds(Server):
    async def rewind(self, by: timedelta, /) -> None:
        self.own.advance(by)


class RewindDoesNothing(Server):
    async def rewind(self, by: timedelta, /) -> None: ...


class RewindDeletes(Server):
    async def rewind(self, _: timedelta, /) -> None:
        self.own.advance(timedelta(days=1))


class ResetsOthers(Honest):
    """A harness whose reset empties all namespaces."""

    capabilities = Capabilities(backend="memory", shared_handle=True, namespaced=True)
    stores: ClassVar[dict[str, MemoryUserStore]] = {}
    open_cache = Harness.open_cache

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        return never_suspends(self.stores.setdefault(self.namespace, MemoryUserStore()))

    async def reset(self) -> None:
        self.stores.clear()


class SparesOthers(ResetsOthers):
    stores: ClassVar[dict[str, MemoryUserStore]] = {}

    async def reset(self) -> None:
        self.stores.pop(self.namespace, None)


class Nothing(Harness):
    name = "nothing"


class OpeningFails(Harness):
    async def open_clock(self) -> Clock:
        raise ConnectionRefusedError("nobody listens")


class ResetFails(Honest):
    async def reset(self) -> None:
        raise ConnectionRefusedError("nobody listens")


class WrongCapabilities(Honest):
    capabilities = cast("Capabilities", {"backend": "memory"})


class WrongWaivers(Honest):
    waivers = cast("list[Waiver]", [("U-001", "known")])


class NeedsArguments(Honest):
    def __init__(self, _: str) -> None: ...


class OpensHalf(Honest):
    async def open_cache(self, _: SteppedClock, /) -> Cache:
        return cast("Cache", MemoryUserStore())
