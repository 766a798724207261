"""A trial: handles, a clock and random numbers for one run of one clause."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Final, TypeVar

from authx_contract.basics.leaks import Resources
from authx_contract.capabilities import Capabilities
from authx_contract.harness import Harness
from authx_contract.never_suspends import Use, blocks, check_threads, never_suspends
from authx_contract.stepped_clock import SteppedClock
from authx_contract.terms import RACERS
from authx_core.domain import UserId
from authx_core.ports import Cache, Clock, PasswordHasher, UserStore

P = TypeVar("P")

_NOBODY: Final[UserId] = "01890a5d-ac96-774b-bcce-b302099a8057"


class Trial:
    """One run of one clause: fresh handles over empty data, and time that the clause controls."""

    def __init__(self, harness: Harness, *, seed: int = 0, before: Resources | None = None) -> None:
        self.harness = harness
        self._before = before or Resources.now()
        self.clock = SteppedClock()
        self.seed = seed
        self.random = Random(seed)  # noqa: S311 - repeatable, not secret

    def another_random(self) -> Random:
        """Return a separate generator for one caller, since the order in which threads run is not fixed."""
        return Random(self.random.getrandbits(64))  # noqa: S311 - likewise

    @property
    def capabilities(self) -> Capabilities:
        """What the harness declares."""
        return self.harness.capabilities

    @property
    def slack(self) -> timedelta:
        """How long before its deadline a key is read: on a server, real time passes meanwhile."""
        return timedelta(seconds=5) if self.capabilities.clock == "server" else timedelta(milliseconds=1)

    async def users(self) -> UserStore:
        """Open one handle of the user store."""
        return await self.harness.open_users(self.clock)

    async def many_users(self, number: int) -> list[UserStore]:
        """Open several handles of the user store."""
        return [await self.users() for _ in range(number)]

    async def racing_users(self) -> list[UserStore]:
        """Open a handle of the user store for each racer, so that their calls overlap."""

        async def use(store: UserStore) -> None:
            await store.get(_NOBODY)
            await store.delete(_NOBODY)

        return await self._meeting(await self.many_users(RACERS), use)

    async def cache(self) -> Cache:
        """Open one handle of the cache."""
        return await self.harness.open_cache(self.clock)

    async def caches(self, number: int) -> list[Cache]:
        """Open several handles of the cache."""
        return [await self.cache() for _ in range(number)]

    async def racing_caches(self) -> list[Cache]:
        """Open a handle of the cache for each racer, so that their calls overlap."""

        async def use(cache: Cache) -> None:
            await cache.get("nothing")
            await cache.delete("nothing")

        return await self._meeting(await self.caches(RACERS), use)

    async def _meeting(self, handles: list[P], use: Use[P]) -> list[P]:
        """Make handles that block on a file or a server race on threads; as tasks, their calls would never overlap.

        An adapter in memory that never suspends may belong to one loop, where no other call can interrupt it.
        """
        if not await blocks(handles[0], use) or not self._waits:
            return handles
        await check_threads(handles[0], use)
        return [never_suspends(each) for each in handles]

    @property
    def _waits(self) -> bool:
        return self.capabilities.backend == "embedded" or bool(Resources.now().files - self._before.files)

    async def timepiece(self) -> Clock:
        """Open the clock under test."""
        return await self.harness.open_clock()

    async def hasher(self) -> PasswordHasher:
        """Open a password hasher."""
        return await self.harness.open_hasher()

    async def elapse(self, by: timedelta) -> None:
        """Let time pass: advance an injected clock; for a server's clock, move the deadlines back."""
        if self.capabilities.clock == "injected":
            self.clock.advance(by)
        else:
            await self.harness.rewind(by)

    async def close(self) -> None:
        """Close every handle; new ones may be opened afterwards."""
        await self.harness.close()
