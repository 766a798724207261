"""Who is told what happened."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol, runtime_checkable

from authx_core.domain.events import Event


@runtime_checkable
class Events(Protocol):
    """Receives events, after the change that they tell of is stored."""

    @abstractmethod
    async def publish(self, event: Event, /) -> None:
        """Tell of something that happened."""
        ...
