"""When a cache in a database removes what has expired, and how much of it: a little, now and then, by itself."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import count
from typing import Final

from authx_adapters.common.timeouts import optional_seconds

SWEEP: Final = 1000
"""Entries that a sweep removes at most, which is a matter of milliseconds, and more than come between two sweeps."""
_EVERY: Final = 100
"""Writes from one sweep to the next: all others cost what they would without."""
_LEAST: Final = 0.001
"""Seconds for a sweep after a write that took almost all of its time."""


class Sweeping:
    """Counts writes, from any number of threads."""

    def __init__(self, timeout: timedelta | float | None = None) -> None:
        """Sweep within the ``timeout`` of a call. Raises `InvalidValue` unless it is positive."""
        self._within = optional_seconds(timeout)
        self._writes = count(1)

    def is_due(self) -> bool:
        """Count a write; True for every hundredth."""
        return next(self._writes) % _EVERY == 0

    def patience(self, began: float) -> float | None:
        """Return the seconds of a sweep after a write that began at this time of `time.monotonic`; None for no limit.

        They are half of what the write has left of its timeout: `Threaded`, which waits for as long as the cache, then
        still hears of a write that was done.
        """
        return None if self._within is None else max(_LEAST, (began + self._within - time.monotonic()) / 2)
