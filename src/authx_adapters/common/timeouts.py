"""Timeouts: read from a caller's argument, and kept by an asynchronous call even if its driver does not cooperate."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, TypeVar

from authx_core.domain.lifetimes import lifetime

_T = TypeVar("_T")
_left_behind: Final[set[asyncio.Task[Any]]] = set()
"""Cancelled tasks that have not ended yet; an event loop itself keeps only weak references to its tasks."""

_GRACE: Final = 1.0
"""Seconds that a cancelled call has to clean up before its caller goes on."""


def seconds(given: timedelta | float, field: str = "timeout") -> float:
    """Return a timeout in seconds. Raises `InvalidValue` that names ``field`` unless it is a `lifetime`."""
    return lifetime(given, field).total_seconds()


def optional_seconds(given: timedelta | float | None) -> float | None:
    """Return a timeout in seconds, or None for no timeout. Raises `InvalidValue`."""
    return None if given is None else seconds(given)


async def in_time(work: Coroutine[Any, Any, _T], within: float | None) -> _T:
    """Return the result of a coroutine. Raises `TimeoutError` if it takes longer than ``within`` seconds.

    `asyncio.timeout` waits until the coroutine has ended, and some never do: `asyncio.wait_for` of Python 3.11 loses
    cancellations, and so do drivers that use it. Here the coroutine runs in a task of its own, which cleans up in the
    background if it takes long. A cancelled caller gets `CancelledError` within a second.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task], timeout=within)
    except asyncio.CancelledError:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task], timeout=_GRACE)  # so that its connection is free again
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
