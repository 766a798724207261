"""The interface between `connect` and the engines: each engine's folder has a module ``opening`` with an ``Opener``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Protocol

import attrs

from authx_adapters.common.settle import settle
from authx_core import Cache, Clock, UserStore
from authx_core.domain.secret import Secret


@attrs.frozen
class Opening:
    """The settings of a facade that is being opened, and the functions that close its clients."""

    blocking: bool
    clock: Clock
    timeout: float
    """Seconds for a new connection, and for each call that creates or verifies tables."""
    stack: AsyncExitStack

    def close_at_the_end(self, close: Callable[[], Awaitable[None] | None]) -> None:
        """Call this when the facade is closed, the last one first."""
        self.stack.push_async_callback(_close, close)


class Opener(Protocol):
    """The client behind one URL, and the adapters that use it."""

    def __init__(self, url: Secret, field: str, opening: Opening) -> None:
        """Check the URL, which the argument ``field`` of `connect` gave.

        Raises `InvalidValue` for an impossible URL, and `ImportError` for a missing driver.
        """

    async def store(self, within: float) -> UserStore:
        """Return a store whose tables or indexes exist and are verified. Each call ends within this many seconds."""
        ...

    async def cache(self, within: float) -> Cache:
        """Return a cache whose tables or indexes exist and are verified. Each call ends within this many seconds."""
        ...


async def _close(close: Callable[[], Awaitable[None] | None]) -> None:
    await settle(close())
