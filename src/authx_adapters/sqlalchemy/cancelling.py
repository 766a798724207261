"""Shields calls, so that a cancelled caller always gets `CancelledError`, whatever the driver is doing.

Drivers do not survive a cancellation at every await: psycopg's pipeline ends in an `AssertionError` or loses the
cancellation, asyncpg leaves a failed future behind if it was connecting, and a statement that aiosqlite runs in a
thread goes on. So a call runs in a task of its own. While it waits for a connection, it is cancelled with its caller.
Once it has or makes a connection, it has a second to end by itself; then it is cancelled too, and the connection is
invalidated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import attrs
from sqlalchemy import Engine, event

T = TypeVar("T")
GRACE: Final = 1.0
"""Seconds that a cancelled call has to end by itself, so that a short statement does not cost a connection."""


@attrs.define
class _Call:
    """Whether a call has or makes a connection, and whether its caller was cancelled."""

    connected: bool = False
    abandoned: bool = False


_CALL: Final[ContextVar[_Call | None]] = ContextVar("call", default=None)


def connected() -> None:
    """Note that the call holds a connection. Raises `CancelledError` if its caller was cancelled."""
    call = _CALL.get()
    if call is not None:
        call.connected = True
        if call.abandoned:
            raise asyncio.CancelledError


@event.listens_for(Engine, "do_connect")
def _connecting(*_: object) -> None:
    call = _CALL.get()
    if call is not None:
        call.connected = True


async def shielded(work: Coroutine[Any, Any, T], *, stoppable: bool) -> T:
    """Run ``work`` in a task of its own, and return when it has ended. Never cancel it unless it is ``stoppable``."""
    call = _Call()
    task = asyncio.create_task(_noted(work, call))
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        call.abandoned = True
        if stoppable:
            await _wait(task, GRACE if call.connected else 0)
            task.cancel()
        await _wait(task, None)
        if not task.cancelled():
            task.exception()  # retrieve it, or asyncio would log it
        raise
    finally:
        work.close()  # it may not have begun
    return task.result()


async def _noted(work: Coroutine[Any, Any, T], call: _Call) -> T:
    _CALL.set(call)  # only for this task, which has a context of its own
    return await work


async def _wait(task: asyncio.Task[Any], seconds: float | None) -> None:
    """Wait for a task to end, even if we are cancelled repeatedly, as a cancel scope of AnyIO does."""
    deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
    while not task.done():
        remaining = None if deadline is None else deadline - asyncio.get_running_loop().time()
        if remaining is not None and remaining <= 0:
            return
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task], timeout=remaining)


def is_cancelled() -> bool:
    """Whether the current task was cancelled, even if the driver has lost that."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # a blocking caller
        return False
    return task is not None and task.cancelling() > 0
