"""``memory://``."""

from __future__ import annotations

from authx_adapters.common.opening import Opening
from authx_adapters.memory.cache import MemoryCache
from authx_adapters.memory.store import MemoryUserStore
from authx_core.domain.secret import Secret


class Opener:
    """Opens users and entries in this process's memory."""

    def __init__(self, url: Secret, field: str, opening: Opening) -> None:  # noqa: ARG002 - the URL has no parts
        self._clock = opening.clock

    async def store(self, within: float) -> MemoryUserStore:  # noqa: ARG002 - memory never waits
        """Return an empty store."""
        return MemoryUserStore()

    async def cache(self, within: float) -> MemoryCache:  # noqa: ARG002 - likewise
        """Return an empty cache."""
        return MemoryCache(self._clock)
