"""The clock that the suite moves."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

from authx_core.ports import Clock

_START: Final = datetime(2026, 1, 1, 12, 30, 15, 123_457, timezone.utc)


class SteppedClock(Clock):
    """A clock that stands still until a clause moves it."""

    def __init__(self, start: datetime = _START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the present instant."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward by this."""
        self._now += by
