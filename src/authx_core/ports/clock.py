"""The port for the time."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """Tells the time. The core has no other source of it."""

    @abstractmethod
    def now(self) -> datetime:
        """Return the present as an aware UTC datetime, to the microsecond, never earlier than the last answer."""
