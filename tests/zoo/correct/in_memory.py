"""Correct adapters: no clause may accuse one."""

from __future__ import annotations

from datetime import datetime, timezone

from authx_adapters.clock import ManualClock, SystemClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_contract import Capabilities, Harness
from authx_core.ports import Clock
from zoo.clock_and_hasher.hashers import Pbkdf2
from zoo.machinery.registry import correct
from zoo.machinery.small_cache import Keys
from zoo.machinery.small_users import Users

correct("users in dictionaries, in steps that nothing comes between")(Users)
correct("entries in a dictionary, in steps that nothing comes between")(Keys)
correct("the project's own store in memory, raced on threads")(MemoryUserStore)
correct("the project's own cache in memory, raced on threads")(MemoryCache)
correct("the system's time")(SystemClock)
correct("PBKDF2 of the standard library")(Pbkdf2)


@correct("users in dictionaries, that wait for their request and their answer")
class WaitingUsers(Users):
    pauses = frozenset({"request", "answer"})


@correct("entries in a dictionary, that wait for their request and their answer")
class WaitingKeys(Keys):
    pauses = frozenset({"request", "answer"})


@correct("a clock that stands still, as it says")
class StandingClock(Harness):
    capabilities = Capabilities(ticks=False)

    async def open_clock(self) -> Clock:
        return ManualClock(datetime(2026, 1, 1, microsecond=123_457, tzinfo=timezone.utc))
