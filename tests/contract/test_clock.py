"""Both clocks keep the contract of a clock."""

from __future__ import annotations

from datetime import datetime, timezone

from authx_adapters.clock import ManualClock, SystemClock
from authx_core.contract import ClockContract
from authx_core.ports import Clock


class TestSystemClock(ClockContract):
    """The system's time."""

    async def open(self) -> Clock:
        return SystemClock()


class TestManualClock(ClockContract):
    """A clock that a test moves."""

    moves = False

    async def open(self) -> Clock:
        return ManualClock(datetime(2026, 1, 1, microsecond=123_457, tzinfo=timezone.utc))
