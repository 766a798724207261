"""Leaks: tasks that still run in the loop of a clause; threads, connections and files that outlive it."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import stat
import threading
import time
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Final

import attrs

from authx_contract.basics.violation import Violation

_TIMEOUT: Final = 2.0
"""Seconds that something may take to end by itself."""
_PAUSE: Final = 0.005


async def no_tasks_left() -> None:
    """Cancel every task but the present one that does not end in time, and raise `Violation` with their names."""
    end = time.monotonic() + _TIMEOUT
    while (left := asyncio.all_tasks() - {asyncio.current_task()}) and time.monotonic() < end:
        await asyncio.wait(left, timeout=_PAUSE)
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=_TIMEOUT)
        names = sorted(f"{task.get_name()} ({getattr(task.get_coro(), '__qualname__', '?')})" for task in left)
        raise Violation("tasks still ran after `reset` and `close`", tasks=names)


@attrs.frozen
class Resources:
    """The threads of this process, and the sockets and writable files that it has open."""

    threads: AbstractSet[threading.Thread]
    files: AbstractSet[tuple[int, int]]

    @classmethod
    def now(cls) -> Resources:
        """Return the present ones, without files on a system that does not list them, such as Windows."""
        return cls(frozenset(threading.enumerate()), frozenset(_open_files()))


def nothing_left(before: Resources) -> None:
    """Raise `Violation` if a thread, connection or file outlives the clause that opened it."""
    if not _more(before):
        return
    end, pause = time.monotonic() + _TIMEOUT, _PAUSE
    while (left := _more(before)) and time.monotonic() < end:
        gc.collect()  # a pool without references ends its threads, and a client its connections
        time.sleep(pause)
        pause *= 2
    if left:
        raise Violation("threads, connections or files were still there after `reset` and `close`", left=left)


def _more(before: Resources) -> list[str]:
    now, files = Resources.now(), _open_files()
    return [
        *sorted(f"thread {each.name}" for each in now.threads - before.threads),
        *sorted(files[each] for each in now.files - before.files if each in files),
    ]


def _open_files() -> dict[tuple[int, int], str]:
    """Return open files and sockets by device and inode, since numbers of descriptors are reused."""
    found = dict[tuple[int, int], str]()
    try:
        descriptors = [int(name) for name in os.listdir("/dev/fd")]  # noqa: PTH208 - they are numbers, not files
    except OSError:
        return found
    for descriptor in descriptors:
        with suppress(OSError):  # the descriptor through which the folder was read
            status = os.fstat(descriptor)
            if stat.S_ISSOCK(status.st_mode) or (stat.S_ISREG(status.st_mode) and _is_writable(descriptor)):
                found[status.st_dev, status.st_ino] = _name(descriptor, status.st_mode)
    return found


def _is_writable(descriptor: int) -> bool:
    from fcntl import F_GETFL, fcntl  # noqa: PLC0415 - not on Windows, which has no /dev/fd either

    return fcntl(descriptor, F_GETFL) & os.O_ACCMODE != os.O_RDONLY


def _name(descriptor: int, mode: int) -> str:
    if not stat.S_ISSOCK(mode):
        with suppress(OSError):
            return f"file {os.readlink(f'/dev/fd/{descriptor}')}"  # noqa: PTH115 - likewise
        return f"file {descriptor}"
    try:
        with socket.socket(fileno=os.dup(descriptor)) as connection:
            return f"connection to {connection.getpeername()}"
    except OSError:
        return "socket"
