"""Sweeps: a cache in a database removes some of its expired entries after every hundredth write."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import count
from typing import Final

from authx_adapters.common.timeouts import optional_seconds

SWEEP: Final = 1000
"""Entries that a sweep removes at most: more than expire between two sweeps, and still a matter of milliseconds."""
_EVERY: Final = 100
"""Writes from one sweep to the next."""
_LEAST: Final = 0.001
"""Seconds for a sweep after a write that used up its time."""


class Sweeping:
    """Counts writes, from any number of threads."""

    def __init__(self, timeout: timedelta | float | None = None) -> None:
        """Sweep within the ``timeout`` of a call. Raises `InvalidValue` for an impossible one."""
        self._within = optional_seconds(timeout)
        self._writes = count(1)

    def is_due(self) -> bool:
        """Count a write. Return True for every hundredth."""
        return next(self._writes) % _EVERY == 0

    def timeout(self, began: float) -> float | None:
        """Return the seconds for a sweep after a write that ``began`` at this `time.monotonic`; None for no limit.

        A sweep has half of the time that the write left. So `Threaded`, whose timeout is the cache's, still receives
        the result of the write.
        """
        return None if self._within is None else max(_LEAST, (began + self._within - time.monotonic()) / 2)
