"""The port for events."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol, runtime_checkable

from authx_core.domain.events import Event


@runtime_checkable
class Events(Protocol):
    """Receives events, each after its change is stored."""

    @abstractmethod
    async def publish(self, event: Event, /) -> None:
        """Receive an event."""
