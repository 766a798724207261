"""SQLite's single lock for writers: who waits for it, and for how long."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from threading import Lock
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from authx_adapters.sqlalchemy.deadlines import current

_OWN: Final = "authx_busy_timeout"
_SET: Final = "authx_busy_timeout_set"
_SLACK: Final = 1.1
"""A busy timeout is shortened only if it is longer than the call's remaining time by this factor."""
_LOCKS: Final = WeakKeyDictionary[Engine, Lock]()
_LOOPS: Final = WeakKeyDictionary[Engine, tuple[asyncio.AbstractEventLoop, asyncio.Lock]]()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_LOCKS.clear)  # other threads of the parent may hold them


@contextmanager
def turn(engine: Engine) -> Generator[None, None, None]:
    """Let one writer at a time wait for the database. The others hold no connection meanwhile, so reads find one.

    Raises `TimeoutError`. Calls without a deadline do not take turns: the last would wait for the timeouts of all.
    """
    if (left := current().left) is None:
        yield
        return
    lock = _LOCKS.setdefault(engine, Lock())
    if not lock.acquire(timeout=left):
        current().expire()
        raise TimeoutError
    try:
        yield
    finally:
        lock.release()


@asynccontextmanager
async def asynchronous_turn(engine: Engine) -> AsyncGenerator[None, None]:
    """Do the same for the tasks of an event loop."""
    if current().left is None:
        yield
        return
    loop = asyncio.get_running_loop()
    if engine not in _LOOPS or _LOOPS[engine][0] is not loop:
        _LOOPS[engine] = loop, asyncio.Lock()
    lock = _LOOPS[engine][1]
    async with current().waiting():
        await lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def limited(connection: Connection) -> Generator[None, None, None]:
    """Limit the wait for locks to the deadline of the call, and restore the connection's own limit afterwards."""
    shorten(connection)
    try:
        yield
    finally:
        if not connection.closed and not connection.invalidated and _SET in connection.info:
            _set(connection, connection.info[_OWN])
            del connection.info[_SET]


def shorten(connection: Connection) -> None:
    """Limit the connection's wait for a lock to the remaining time of the call."""
    left = current().left
    if left is None or connection.dialect.name != "sqlite":
        return
    info, milliseconds = connection.info, max(1, int(left * 1000))
    if _OWN not in info:
        info[_OWN] = int(connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one())
    waits: int = info.get(_SET) or info[_OWN]
    if waits > milliseconds * _SLACK:
        _set(connection, milliseconds)
        info[_SET] = milliseconds


def _set(connection: Connection, milliseconds: int) -> None:
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {milliseconds}")
