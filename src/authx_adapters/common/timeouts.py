"""Timeouts: as callers give them, and one for an asynchronous call that holds whatever its driver does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar

from authx_core.domain.lifetimes import lifetime

_T = TypeVar("_T")
_left_behind: Final[set[asyncio.Task[Any]]] = set()
"""Those that still tidy up; an event loop keeps but weak references."""


def seconds(timeout: timedelta | float | None) -> float | None:
    """Return a timeout in seconds, None for none. Raises `InvalidValue` unless it is a lifetime."""
    return None if timeout is None else lifetime(timeout, "timeout").total_seconds()


async def in_time(work: Coroutine[Any, Any, _T], within: float) -> _T:
    """Return what the work returns. Raises `TimeoutError` if it is not done by then.

    `asyncio.timeout` waits until the work has ended, which may be never: `asyncio.wait_for` of Python 3.11 loses a
    cancellation, and so do drivers that use it. Here the work is cancelled once, and tidies up by itself.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task], timeout=within)
    except asyncio.CancelledError:
        _leave(task)
        raise
    if task.done():
        return task.result()
    _leave(task)
    raise TimeoutError


def _leave(task: asyncio.Task[Any]) -> None:
    _left_behind.add(task)
    task.add_done_callback(_ended)
    task.cancel()


def _ended(task: asyncio.Task[Any]) -> None:
    _left_behind.discard(task)
    if not task.cancelled():
        task.exception()
