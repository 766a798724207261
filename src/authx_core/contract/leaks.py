"""What is left running: tasks in the loop of a clause, and threads after it."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Set as AbstractSet
from typing import Final

from authx_core.contract.violation import Violation

_PATIENCE: Final = 2.0
"""Seconds that something may take to end by itself."""
_PAUSE: Final = 0.005


async def no_tasks_left() -> None:
    """Raise `Violation` if another task than this one goes on running; cancel it, whatever it is."""
    end = time.monotonic() + _PATIENCE
    while (left := asyncio.all_tasks() - {asyncio.current_task()}) and time.monotonic() < end:
        await asyncio.wait(left, timeout=_PAUSE)
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=_PATIENCE)
        names = sorted(f"{task.get_name()} ({getattr(task.get_coro(), '__qualname__', '?')})" for task in left)
        raise Violation("tasks still ran after `reset` and `close`", tasks=names)


def threads() -> frozenset[threading.Thread]:
    """Return the threads there are."""
    return frozenset(threading.enumerate())


def no_threads_left(before: AbstractSet[threading.Thread]) -> None:
    """Raise `Violation` if threads run that did not before, and that do not end with what they belong to."""
    if not threads() - before:
        return
    gc.collect()  # a pool ends its threads once it is gone itself
    end = time.monotonic() + _PATIENCE
    while (left := threads() - before) and time.monotonic() < end:
        time.sleep(_PAUSE)
    if left:
        raise Violation("threads still ran after `reset` and `close`", threads=sorted(each.name for each in left))
