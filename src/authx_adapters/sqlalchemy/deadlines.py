"""Calls that end in time: at its deadline, the socket under a call is shut down, and its driver gives up by itself.

No driver bounds a read in a way that suits all: psycopg and asyncpg wait on as they cancel or close, PyMySQL's
`read_timeout` belongs to a connection. To shut down a socket ends every wait of every driver at once, in both colours
and under TLS, and asks nothing of the peer.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from functools import partial
from threading import Condition, RLock, Thread
from typing import Any, Final, Self

_GRACE: Final = 0.2
"""Seconds that a driver has to notice that its connection was cut or its task cancelled, before a cancellation more."""
_LINGER: Final = 0.1
"""Seconds for which the watchdog's thread waits for another call before it ends."""


class Deadline:
    """The time that one call has, and the connection that is cut when it is over."""

    def __init__(self, seconds: float | None, *, asynchronous: bool) -> None:
        """Begin now. ``asynchronous``: a timer of the running event loop keeps the time, instead of the watchdog."""
        self.seconds = seconds
        self.at = math.inf if seconds is None else time.monotonic() + seconds
        self.expired = False
        """Whether the time ended before the call; then, its connection is of no use."""
        self._asynchronous = asynchronous
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Task[Any] | None = None
        self._cancels = 0
        self._cut: Callable[[], object] | None = None
        self._close: Callable[[], object] = _nothing
        self._lock = RLock()  # held while a connection is cut, so that none is cut that was given back

    @property
    def left(self) -> float | None:
        """Seconds that are left, None without a limit."""
        return None if self.seconds is None else max(0.0, self.at - time.monotonic())

    def watch(self, driver: Any) -> None:
        """Cut this connection at the deadline, and no other: ``driver`` is the driver's own."""
        if self.seconds is None:
            return
        cut, close = _plug(driver)
        with self._lock:
            self._close()
            self._cut, self._close = cut, close
        if self.expired:
            self.expire()
        self._begin()

    @asynccontextmanager
    async def waiting(self) -> AsyncGenerator[None, None]:
        """Wait for a connection, and be cancelled at the deadline. Raises `TimeoutError`."""
        if (task := asyncio.current_task()) is None:
            raise RuntimeError("no task is running")
        self._waiter = task
        before = task.cancelling()
        self._begin()
        try:
            yield
        except asyncio.CancelledError:
            if self._cancels and task.cancelling() == before + self._cancels:
                raise TimeoutError from None
            raise
        finally:
            self._waiter = None
            for _ in range(self._cancels):
                task.uncancel()
            self._cancels = 0

    def expire(self) -> None:
        """End the call: its time is over."""
        with self._lock:
            self.expired = True
            if self._cut is not None:
                with suppress(Exception):  # the peer or the driver has closed it
                    self._cut()

    def _ring(self) -> None:
        """End the call from the event loop's timer, also one that is waiting for a connection."""
        again = self.expired
        self.expire()
        if self._waiter is not None:
            # Drivers may forget a cancellation, and psycopg takes seconds for one, so a cut connection comes first.
            if again or self._cut is None:
                self._waiter.cancel()
                self._cancels += 1
            self._timer = asyncio.get_running_loop().call_later(_GRACE, self._ring)

    def release(self) -> None:
        """Let go of the connection, which is never cut after this."""
        if self.seconds is None:
            return
        with self._lock:
            self._close()
            self._cut, self._close = None, _nothing
        if not self._asynchronous:
            WATCHDOG.discard(self)
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        """Have the time kept."""
        if self.seconds is None:
            return
        if not self._asynchronous:
            WATCHDOG.add(self)
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.left or 0.0, self._ring)

    def shorter(self, seconds: float) -> Deadline:
        """Return one for a part of the call: at most so long, and at most half of what is left."""
        left = math.inf if self.left is None else self.left / 2
        return Deadline(min(seconds, left), asynchronous=self._asynchronous)

    @property
    def reason(self) -> str:
        """Say that the time was over, or nothing if it was not."""
        return f"TimeoutError: no answer within {self.seconds:g} seconds" if self.expired else ""

    def __enter__(self) -> Self:
        """Be the deadline of what follows."""
        self._outer = _CURRENT.get()
        _CURRENT.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _CURRENT.set(self._outer)
        self.release()


_CURRENT: Final[ContextVar[Deadline | None]] = ContextVar("deadline", default=None)


def current() -> Deadline:
    """Return the deadline of the call that is being made; outside of one, a time without end."""
    return _CURRENT.get() or Deadline(None, asynchronous=False)


class Watchdog:
    """One thread that ends the calls of blocking drivers. It runs while there are any, and does not survive a fork."""

    def __init__(self) -> None:
        self._changed = Condition()  # its lock is reentrant: the garbage collector may give back a connection
        self._watched = set[Deadline]()
        self._wakes_at = math.inf
        self._thread: Thread | None = None

    def add(self, deadline: Deadline) -> None:
        """Watch over a call."""
        with self._changed:
            self._watched.add(deadline)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="authx-deadlines", daemon=True)
                self._thread.start()
            elif deadline.at < self._wakes_at:
                self._changed.notify()

    def discard(self, deadline: Deadline) -> None:
        """Forget a call that has ended."""
        with self._changed:
            self._watched.discard(deadline)

    def forked(self) -> None:
        """Begin anew in a child, where neither the thread nor the calls of others are."""
        watched = tuple(self._watched)
        self.__init__()  # type: ignore[misc] # all of it
        for deadline in watched:
            deadline.__init__(None, asynchronous=False)  # type: ignore[misc] # likewise

    def _run(self) -> None:
        with self._changed:
            while True:
                self._expire()
                if not self._watched and not self._lingered():
                    self._thread = None
                    return
                self._wakes_at = min((each.at for each in tuple(self._watched)), default=math.inf)
                self._changed.wait(None if self._wakes_at == math.inf else self._wakes_at - time.monotonic())

    def _expire(self) -> None:
        now = time.monotonic()
        for each in tuple(self._watched):
            if each.at <= now:
                self._watched.discard(each)
                each.expire()

    def _lingered(self) -> bool:
        """Wait for another call; tell whether there is one."""
        self._wakes_at = math.inf
        self._changed.wait_for(lambda: bool(self._watched), _LINGER)
        return bool(self._watched)


WATCHDOG: Final = Watchdog()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=WATCHDOG.forked)


def descriptor(driver: Any) -> int | None:
    """Return the file descriptor of a driver's socket: -1 if that is closed, None if there is none or none is known."""
    try:
        match type(driver).__module__.partition(".")[0]:
            case "psycopg":
                return int(driver.pgconn.socket)
            case "asyncpg" | "asyncmy":
                return int(driver._transport.get_extra_info("socket").fileno())  # noqa: SLF001 - none tells otherwise
            case "aiomysql":
                return int(driver._writer.get_extra_info("socket").fileno())  # noqa: SLF001 - likewise
            case "pymysql":
                return int(driver._sock.fileno())  # noqa: SLF001 - likewise
            case _:
                return None
    except Exception:  # noqa: BLE001 - each driver has its own for a connection that is closed
        return -1


def _plug(driver: Any) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return what cuts a connection, and what is to be called when that is no longer needed.

    A duplicate of the descriptor stays ours even if the driver closes its own meanwhile and the number is given anew.
    """
    match type(driver).__module__.partition(".")[0]:
        case "sqlite3":  # a lock is waited for as long as its busy timeout; this ends what computes for long
            return driver.interrupt, _nothing
        case "aiosqlite":
            return driver._conn.interrupt, _nothing  # noqa: SLF001 - its own is a coroutine, behind the statement
        case _:
            found = descriptor(driver)
    if found is None or found < 0:
        return _nothing, _nothing
    try:
        ours = socket.fromfd(found, socket.AF_INET, socket.SOCK_STREAM)  # whatever it is, it shuts down alike
    except OSError:
        return _nothing, _nothing
    return partial(ours.shutdown, socket.SHUT_RDWR), ours.close


def _nothing() -> None:
    """Do nothing."""
