"""Timeouts of calls: at the deadline the socket is shut down, and the driver gives up by itself.

No timeout of a driver will do: psycopg and asyncpg go on waiting while they cancel or close, and PyMySQL's
`read_timeout` belongs to a connection. A shutdown of the socket ends every wait of every driver at once, blocking or
asynchronous, also under TLS, and needs no answer from the peer.
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
"""Seconds that a driver has to notice the shutdown or a cancellation, before the task is cancelled (again)."""
_LINGER: Final = 0.1
"""Seconds that the watchdog's thread waits for another call before it ends."""


class Deadline:
    """The deadline of one call, and the connection that is shut down when it passes."""

    def __init__(self, seconds: float | None, *, asynchronous: bool) -> None:
        """Start now. If ``asynchronous``, a timer of the running event loop keeps the time instead of the watchdog."""
        self.seconds = seconds
        self.at = math.inf if seconds is None else time.monotonic() + seconds
        self.expired = False
        """Whether the deadline passed before the call ended; then its connection cannot be used any more."""
        self._asynchronous = asynchronous
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Task[Any] | None = None
        self._cancels = 0
        self._shutdown: Callable[[], object] | None = None
        self._close: Callable[[], object] = _nothing
        self._lock = RLock()  # held during a shutdown, so that no returned connection is shut down

    @property
    def left(self) -> float | None:
        """The remaining seconds, or None without a deadline."""
        return None if self.seconds is None else max(0.0, self.at - time.monotonic())

    def watch(self, driver: Any) -> None:
        """Shut down this connection of the driver at the deadline, and no other."""
        if self.seconds is None:
            return
        shutdown, close = _shutdown(driver)
        with self._lock:
            self._close()
            self._shutdown, self._close = shutdown, close
        if self.expired:
            self.expire()
        self._begin()

    @asynccontextmanager
    async def waiting(self) -> AsyncGenerator[None, None]:
        """Cancel the block, which waits for a connection, at the deadline. Raises `TimeoutError`."""
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
        """Shut down the connection: the deadline has passed."""
        with self._lock:
            self.expired = True
            if self._shutdown is not None:
                with suppress(Exception):  # the peer or the driver has closed it already
                    self._shutdown()

    def _ring(self) -> None:
        """End the call from the event loop's timer, even if it waits for a connection."""
        again = self.expired
        self.expire()
        if self._waiter is not None:
            # Drivers may lose a cancellation, and psycopg takes seconds for one, so the shutdown comes first.
            if again or self._shutdown is None:
                self._waiter.cancel()
                self._cancels += 1
            self._timer = asyncio.get_running_loop().call_later(_GRACE, self._ring)

    def release(self) -> None:
        """Release the connection, which is not shut down after this."""
        if self.seconds is None:
            return
        with self._lock:
            self._close()
            self._shutdown, self._close = None, _nothing
        if not self._asynchronous:
            WATCHDOG.discard(self)
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        """Start the timer, or tell the watchdog."""
        if self.seconds is None:
            return
        if not self._asynchronous:
            WATCHDOG.add(self)
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.left or 0.0, self._ring)

    def shorter(self, seconds: float) -> Deadline:
        """Return a deadline for a part of the call: this many seconds, or half of the remaining time if less."""
        left = math.inf if self.left is None else self.left / 2
        return Deadline(min(seconds, left), asynchronous=self._asynchronous)

    @property
    def reason(self) -> str:
        """The message of a timeout; empty if there was none."""
        return f"TimeoutError: no answer within {self.seconds:g} seconds" if self.expired else ""

    def __enter__(self) -> Self:
        """Make this the deadline of the block."""
        self._outer = _CURRENT.get()
        _CURRENT.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _CURRENT.set(self._outer)
        self.release()


_CURRENT: Final[ContextVar[Deadline | None]] = ContextVar("deadline", default=None)


def current() -> Deadline:
    """Return the deadline of the present call, or one that never passes."""
    return _CURRENT.get() or Deadline(None, asynchronous=False)


class Watchdog:
    """A thread that ends the calls of blocking drivers at their deadlines. It runs only while there are calls."""

    def __init__(self) -> None:
        self._changed = Condition()  # with a reentrant lock: the garbage collector may return a connection
        self._watched = set[Deadline]()
        self._wakes_at = math.inf
        self._thread: Thread | None = None

    def add(self, deadline: Deadline) -> None:
        """Watch a call."""
        with self._changed:
            self._watched.add(deadline)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="authx-deadlines", daemon=True)
                self._thread.start()
            elif deadline.at < self._wakes_at:
                self._changed.notify()

    def discard(self, deadline: Deadline) -> None:
        """Stop watching a call that has ended."""
        with self._changed:
            self._watched.discard(deadline)

    def forked(self) -> None:
        """Start again in a child, which has neither the thread nor the calls of its parent."""
        watched = tuple(self._watched)
        self.__init__()  # type: ignore[misc] # reset every attribute
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
        """Wait for another call. Return whether there is one."""
        self._wakes_at = math.inf
        self._changed.wait_for(lambda: bool(self._watched), _LINGER)
        return bool(self._watched)


WATCHDOG: Final = Watchdog()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=WATCHDOG.forked)


def descriptor(driver: Any) -> int | None:
    """Return the file descriptor of a driver's socket: -1 if it is closed, None if there is no socket."""
    try:
        match type(driver).__module__.partition(".")[0]:
            case "psycopg":
                return int(driver.pgconn.socket)
            case "asyncpg" | "asyncmy":
                return int(driver._transport.get_extra_info("socket").fileno())  # noqa: SLF001 - there is no public way
            case "aiomysql":
                return int(driver._writer.get_extra_info("socket").fileno())  # noqa: SLF001 - likewise
            case "pymysql":
                return int(driver._sock.fileno())  # noqa: SLF001 - likewise
            case _:
                return None
    except Exception:  # noqa: BLE001 - each driver has its own error for a closed connection
        return -1


def _shutdown(driver: Any) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return a function that shuts down a connection, and one that frees what the first one needs.

    We duplicate the descriptor: the driver may close its own, and the system may then reuse the number.
    """
    match type(driver).__module__.partition(".")[0]:
        case "sqlite3":  # ends long computations; the wait for a lock has a timeout of its own
            return driver.interrupt, _nothing
        case "aiosqlite":
            return driver._conn.interrupt, _nothing  # noqa: SLF001 - the public one is a coroutine, which would wait for the statement
        case _:
            found = descriptor(driver)
    if found is None or found < 0:
        return _nothing, _nothing
    try:
        ours = socket.fromfd(found, socket.AF_INET, socket.SOCK_STREAM)  # of any kind: the shutdown is the same
    except OSError:
        return _nothing, _nothing
    return partial(ours.shutdown, socket.SHUT_RDWR), ours.close


def _nothing() -> None:
    """Do nothing."""
