"""What the clauses of a cache share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from functools import cached_property
from typing import Final

from authx_core.contract.base import Contract, SteppedClock
from authx_core.contract.expect import same
from authx_core.ports import Cache

MOMENT: Final = timedelta(milliseconds=1)
MINUTE: Final = timedelta(minutes=1)
AWKWARD: Final = (
    "a", "A", "á", "a\u0301", "a ", " a", "ı", "i", "I", "ß", "ss", "😀", "😁", "a\u200b", "a:b", "a/b", "a%", "a_",
    "a*", "a\n", "a\r\n", "'", '"', "\\", "{a}b", "{a}c", "ａ",
    "\uffff", "\U0010ffff", "\x7f", "\x01",
)  # fmt: skip
"""Texts of which no two are equal code point by code point."""


class CacheClauses(Contract, ABC):
    """How the clauses get at a cache and at its time."""

    @abstractmethod
    async def open(self, clock: SteppedClock, /) -> Cache:
        """Return a handle of a cache that reads this clock.

        Called several times in one clause: all handles reach the same data, which is empty when a clause begins.
        """

    @cached_property
    def clock(self) -> SteppedClock:
        """The clock of this clause."""
        return SteppedClock()

    async def elapse(self, by: timedelta) -> None:
        """Let time pass. A cache whose server has a clock of its own overrides this to move every deadline back."""
        self.clock.advance(by)

    async def handle(self) -> Cache:
        """Open one handle."""
        return await self.open(self.clock)

    async def handles(self, number: int) -> list[Cache]:
        """Open several handles."""
        return [await self.open(self.clock) for _ in range(number)]

    async def gone_exactly_after(self, ttl: timedelta, cache: Cache, *keys: str) -> None:
        """Check that the keys live until this long from now, and no longer."""
        await self.elapse(ttl - MOMENT)
        for key in keys:
            same(await cache.get(key) is None, False, f"{key!r} was gone one millisecond before its deadline")
        await self.elapse(MOMENT)
        for key in keys:
            same(await cache.get(key), None, f"{key!r} was readable at its deadline")


async def warm(cache: Cache) -> None:
    """Use a handle once."""
    await cache.get("warm")
