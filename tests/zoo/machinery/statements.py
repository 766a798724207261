"""A step of an adapter in memory, as an engine would take it."""

from __future__ import annotations

import asyncio


async def statement() -> None:
    """Stand for one round trip to an engine, during which others go on."""
    await asyncio.sleep(0)
