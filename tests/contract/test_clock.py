"""Both clocks keep the contract of a clock."""

from __future__ import annotations

from datetime import datetime, timezone

from authx_adapters.clock import ManualClock, SystemClock
from authx_contract import Capabilities, Harness, contract_tests
from authx_core.ports import Clock


class System(Harness):
    """The system's time."""

    name = "system-clock"

    async def open_clock(self) -> Clock:
        return SystemClock()


class Manual(Harness):
    """A clock that a test moves."""

    name = "manual-clock"
    capabilities = Capabilities(ticks=False)

    async def open_clock(self) -> Clock:
        return ManualClock(datetime(2026, 1, 1, microsecond=123_457, tzinfo=timezone.utc))


TestSystemClock = contract_tests(System)
TestManualClock = contract_tests(Manual)
