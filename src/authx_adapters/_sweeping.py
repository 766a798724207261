"""When a cache in a database removes what has expired, and how much of it: a little, now and then, by itself."""

from __future__ import annotations

from itertools import count
from typing import Final

SWEEP: Final = 1000
"""Entries that a sweep removes at most, which is a matter of milliseconds, and more than come between two sweeps."""
_EVERY: Final = 100
"""Writes from one sweep to the next: all others cost what they would without."""


class Sweeping:
    """Counts writes, from any number of threads."""

    def __init__(self) -> None:
        self._writes = count(1)

    def is_due(self) -> bool:
        """Count a write; True for every hundredth."""
        return next(self._writes) % _EVERY == 0
