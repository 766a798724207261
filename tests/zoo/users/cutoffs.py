"""`set_blackout` with wrong answers."""

from __future__ import annotations

import asyncio
from datetime import datetime

from authx_adapters.memory import MemoryUserStore
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users


@mutant("U-063", "`set_blackout` returns nothing, as in an older version of the port")
class ReturnsNothing(Users):
    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        await super().set_blackout(cutoff)
        return None


@mutant("U-065", "the cut-off that stands is read back in a second statement")
class ReadsTheCutoffBack(Users):
    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        await super().set_blackout(cutoff)
        await asyncio.sleep(0)
        return None if cutoff is None else await self.get_blackout()


@mutant("U-065", "the cut-off that stands is read back in a second statement, without a lock")
class ReadsTheCutoffBackUnlocked(MemoryUserStore):
    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        await super().set_blackout(cutoff)
        return None if cutoff is None else await self.get_blackout()


@mutant("U-065", "the old cut-off is read first, and the later of old and new is returned")
class ReadsTheCutoffAhead(Users):
    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        before = await self.get_blackout()
        await asyncio.sleep(0)
        await super().set_blackout(cutoff)
        return self.later(before, cutoff)
