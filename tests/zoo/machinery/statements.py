"""The round trip to an engine, for adapters in memory."""

from __future__ import annotations

import asyncio


async def statement() -> None:
    """Let other tasks run, as during a round trip to an engine."""
    await asyncio.sleep(0)
