"""The memory adapters keep the contract, from tasks and from threads."""

from __future__ import annotations

from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_contract import Capabilities, Harness, SteppedClock, contract_tests, never_suspends
from authx_core.ports import Cache, UserStore


class Memory(Harness):
    """All handles are the same adapter; racers are tasks."""

    name = "memory"
    capabilities = Capabilities(backend="memory", shared_handle=True)

    def __init__(self) -> None:
        self.users: UserStore | None = None
        self.cache: Cache | None = None

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        self.users = self.users or MemoryUserStore()
        return self.users

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        self.cache = self.cache or MemoryCache(clock)
        return self.cache

    async def stored(self) -> int:
        assert isinstance(self.cache, MemoryCache)
        return len(self.cache._values.entries) + len(self.cache._counters.entries)  # pyright: ignore[reportPrivateUsage] - there is no public count

    async def reset(self) -> None:
        self.users = self.cache = None

    async def close(self) -> None:
        await self.reset()


class BlockingMemory(Memory):
    """The same; racers are threads."""

    name = "memory-blocking"

    async def open_users(self, clock: SteppedClock, /) -> UserStore:
        return never_suspends(await super().open_users(clock))

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        return never_suspends(await super().open_cache(clock))


TestMemory = contract_tests(Memory)
TestBlockingMemory = contract_tests(BlockingMemory)
