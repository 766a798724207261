"""What every clock promises."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import ClassVar, Final

from authx_core.contract.base import Contract
from authx_core.contract.expect import holds, same, utc
from authx_core.ports import Clock

_ZONES: Final = ("UTC", "Asia/Kathmandu", "XYZ+11:30", "America/New_York")
_READINGS: Final = 2_000
_THREADS: Final = 4


class ClockContract(Contract, ABC):
    """Clauses for a `Clock`."""

    moves: ClassVar[bool] = True
    """False for a clock that stands still until it is told: it need not tell the true time."""

    @abstractmethod
    async def open(self) -> Clock:
        """Return a clock."""

    async def test_k001_aware_and_utc(self) -> None:
        """K-001: what it tells is aware, and its offset is zero."""
        utc((await self.open()).now(), "the clock told a local or naive time")

    async def test_k002_true_whatever_the_zone(self) -> None:
        """K-002: it tells the true time whatever TZ is; a clock declared to stand still does."""
        for zone in _ZONES:
            with _zone(zone):
                clock = await self.open()
                first = clock.now()
                off = abs(first - datetime.fromtimestamp(time.time(), timezone.utc))
                if self.moves:
                    holds(off < timedelta(minutes=1), f"with TZ={zone} the clock is {off} off")
                else:
                    same(clock.now(), first, f"with TZ={zone} a clock that stands still moved")

    async def test_k003_never_back(self) -> None:
        """K-003: it never goes back, also across threads."""
        clock = await self.open()
        latest = [clock.now()]

        def read() -> None:
            for _ in range(_READINGS):
                floor = latest[0]
                now = clock.now()
                holds(now >= floor, f"the clock told {now} after {floor}")
                latest[0] = now

        with ThreadPoolExecutor(_THREADS) as pool:
            for future in [pool.submit(read) for _ in range(_THREADS)]:
                future.result()

    async def test_k004_microseconds(self) -> None:
        """K-004: it resolves microseconds."""
        clock = await self.open()
        holds(
            any(clock.now().microsecond % 1_000 for _ in range(_READINGS)),
            f"{_READINGS} readings were all whole milliseconds: the clock cuts microseconds off",
        )


@contextmanager
def _zone(name: str) -> Generator[None, None, None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    _apply_zone()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        _apply_zone()


def _apply_zone() -> None:
    if hasattr(time, "tzset"):  # not on Windows
        time.tzset()
