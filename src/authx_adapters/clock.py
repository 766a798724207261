"""Clocks: the system's, and one that a test moves."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from threading import Lock
from typing import Final

from authx_core.ports import Clock

_START: Final = datetime(2026, 1, 1, tzinfo=timezone.utc)


class SystemClock(Clock):
    """The system's time in UTC. While the system steps back, this stands still."""

    def __init__(self) -> None:
        self._last = datetime.now(timezone.utc)
        self._lock = Lock()

    def now(self) -> datetime:
        """Return the present, never earlier than the last answer."""
        with self._lock:
            self._last = max(self._last, datetime.now(timezone.utc))
            return self._last


class ManualClock(Clock):
    """A clock for tests: it stands still until it is moved."""

    def __init__(self, start: datetime = _START) -> None:
        self._now = start.astimezone(timezone.utc)

    def now(self) -> datetime:
        """Return the instant that was set."""
        return self._now

    def advance(self, by: timedelta | float) -> None:
        """Move by a timedelta or by seconds; a negative step is a system clock that was set back."""
        self._now += by if isinstance(by, timedelta) else timedelta(seconds=by)
