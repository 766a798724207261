"""Clocks: the system's, and one that tests move."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from threading import Lock
from typing import Final

from authx_adapters.common.forks import forkable
from authx_core.ports import Clock

_START: Final = datetime(2026, 1, 1, tzinfo=timezone.utc)


def _present() -> datetime:
    return datetime.now(timezone.utc)


def _nanoseconds() -> int:
    """Return monotonic time, on Linux by the clock that also runs while the machine is suspended."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()


class SystemClock(Clock):
    """The system's time in UTC, which never goes back.

    If the system's clock is set back an hour, this clock stays an hour ahead and goes on at the pace of a monotonic
    clock, until the system has caught up or the process ends. So a lock of 15 minutes lasts 15 minutes.
    """

    def __init__(
        self, *, system: Callable[[], datetime] = _present, monotonic: Callable[[], int] = _nanoseconds
    ) -> None:
        """Follow ``system``; while it is behind, go by ``monotonic`` (nanoseconds). Tests give their own."""
        self._system, self._monotonic = system, monotonic
        self._lock = forkable(Lock())
        self._anchor = system(), monotonic()

    def now(self) -> datetime:
        """Return the present, never earlier than the last answer."""
        with self._lock:
            # In this order: a pause between the two readings makes the anchor late, never early.
            system, ticks = self._system(), self._monotonic()
            told, then = self._anchor
            paced = told + timedelta(microseconds=(ticks - then) // 1_000)
            if system > paced:
                self._anchor = system, ticks
            return max(system, paced)


class ManualClock(Clock):
    """A clock for tests, which stands still until it is moved."""

    def __init__(self, start: datetime = _START) -> None:
        self._now = start.astimezone(timezone.utc)

    def now(self) -> datetime:
        """Return the present instant."""
        return self._now

    def advance(self, by: timedelta | float) -> None:
        """Move by a timedelta or by seconds. A negative step acts as a system clock that is set back."""
        self._now += by if isinstance(by, timedelta) else timedelta(seconds=by)
