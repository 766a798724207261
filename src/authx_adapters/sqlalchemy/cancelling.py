"""A cancelled caller hears `CancelledError` and nothing else, whatever the driver is doing at that moment.

Drivers do not survive a cancellation at every await: psycopg's pipeline ends in an `AssertionError` or forgets the
cancellation, asyncpg leaves a failed future behind when it was connecting, and what aiosqlite runs in a thread goes on
regardless. So a call runs in a task of its own. While it queues for a connection, it is cancelled with its caller. As
soon as it has or makes one, it may end by itself; if that takes too long, it is cancelled too, and the connection is
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
"""Seconds that a cancelled call has to end by itself, so that a statement of a millisecond costs no connection."""


@attrs.define
class _Call:
    """Whether a call has or makes a connection, and whether its caller does not wait for the answer any more."""

    connected: bool = False
    abandoned: bool = False


_CALL: Final[ContextVar[_Call | None]] = ContextVar("call", default=None)


def connected() -> None:
    """Note that the call holds a connection. Raises `CancelledError` if nobody waits for the answer any more."""
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
    """Run ``work`` in a task of its own; return only when that has ended. If it is not stoppable, never cancel it."""
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
            task.exception()  # retrieved, so that asyncio does not log it
        raise
    finally:
        work.close()  # it has not begun if the task was cancelled first
    return task.result()


async def _noted(work: Coroutine[Any, Any, T], call: _Call) -> T:
    _CALL.set(call)  # for this task alone: it has a context of its own
    return await work


async def _wait(task: asyncio.Task[Any], seconds: float | None) -> None:
    """Wait for the end of a task, also if we are cancelled again and again, as by a cancel scope of AnyIO."""
    deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
    while not task.done():
        remaining = None if deadline is None else deadline - asyncio.get_running_loop().time()
        if remaining is not None and remaining <= 0:
            return
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task], timeout=remaining)


def is_cancelled() -> bool:
    """Whether the current task was asked to stop, even if the driver has swallowed that."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # a blocking caller
        return False
    return task is not None and task.cancelling() > 0
