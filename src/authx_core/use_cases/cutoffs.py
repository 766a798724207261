"""Which cut-offs a facade has published."""

from __future__ import annotations

from datetime import datetime
from typing import Final

_REMEMBERED: Final = 64
"""Cut-offs, so that the latest stays among them however many threads add theirs."""


class PublishedCutoffs:
    """The cut-offs that a facade published since it last lifted the blackout; each step is atomic among threads.

    The store's answers to concurrent calls may arrive in another order than it gave them. These cut-offs show it, so
    that no earlier one is published after a later one.
    """

    def __init__(self) -> None:
        self._cutoffs: list[datetime] = []

    @property
    def latest(self) -> datetime | None:
        """The latest of them, or None."""
        return max(tuple(self._cutoffs), default=None)

    def clear(self) -> None:
        """Forget them all, since the blackout is lifted."""
        self._cutoffs = []

    def add(self, cutoff: datetime, before: datetime | None) -> bool:
        """Add a cut-off that the store took, and return whether to publish it.

        ``before`` was the latest when the call to the store began.
        """
        latest = self.latest
        overtaken = latest is not None and latest != before and latest > cutoff
        if latest == cutoff or overtaken:
            return False
        if latest is not None and latest > cutoff:  # another process has lifted the blackout since
            self.clear()
        self._cutoffs.append(cutoff)
        del self._cutoffs[:-_REMEMBERED]
        return True

    def later_than(self, cutoff: datetime) -> datetime | None:
        """Return a later cut-off that another call has added by now, if any."""
        latest = self.latest
        return latest if latest is not None and latest > cutoff else None
