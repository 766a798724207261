"""Correct adapters in memory, and a correct clock and hasher."""

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

correct("users in dictionaries, in operations without a pause")(Users)
correct("entries in a dictionary, in operations without a pause")(Keys)
correct("the project's own store in memory, raced on threads")(MemoryUserStore)
correct("the project's own cache in memory, raced on threads")(MemoryCache)
correct("the system's time")(SystemClock)
correct("PBKDF2 of the standard library")(Pbkdf2)


@correct("users in dictionaries, with pauses before each request and answer")
class WaitingUsers(Users):
    pauses = frozenset({"request", "answer"})


@correct("entries in a dictionary, with pauses before each request and answer")
class WaitingKeys(Keys):
    pauses = frozenset({"request", "answer"})


@correct("a clock that stands still, and is declared so")
class StandingClock(Harness):
    capabilities = Capabilities(ticks=False)

    async def open_clock(self) -> Clock:
        return ManualClock(datetime(2026, 1, 1, microsecond=123_457, tzinfo=timezone.utc))
