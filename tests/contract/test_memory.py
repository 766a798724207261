"""The memory adapters keep the contracts, and never suspend."""

from __future__ import annotations

from functools import cached_property

from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_core.contract import CacheContract, SteppedClock, UserStoreContract, never_suspends
from authx_core.ports import Cache, UserStore


class TestMemoryUserStore(UserStoreContract):
    """As it is: all handles are the store itself."""

    @cached_property
    def store(self) -> UserStore:
        """The store of this clause."""
        return MemoryUserStore()

    async def open(self) -> UserStore:
        return self.store


class TestBlockingMemoryUserStore(TestMemoryUserStore):
    """On threads."""

    async def open(self) -> UserStore:
        return never_suspends(self.store)


class TestMemoryCache(CacheContract):
    """As it is: all handles are the cache itself."""

    @cached_property
    def cache(self) -> Cache:
        """The cache of this clause."""
        return MemoryCache(self.clock)

    async def open(self, _: SteppedClock, /) -> Cache:
        return self.cache


class TestBlockingMemoryCache(TestMemoryCache):
    """On threads."""

    async def open(self, _: SteppedClock, /) -> Cache:
        return never_suspends(self.cache)
