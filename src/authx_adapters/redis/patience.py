"""How long a blocking client waits, and a limit where it may wait longer than a call.

A blocking socket cannot be interrupted from outside: its timeout is the driver's to set. `settings` are those that keep
a call within a time. For any other client, and for a cluster's, which looks for its nodes one after the other while all
other callers queue up, a thread waits in the caller's place.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from redis import BlockingConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry

_T = TypeVar("_T")
_THREADS: Final = 128
"""Calls that wait at a time; they are made as they are needed."""


def settings(within: float) -> dict[str, Any]:
    """Return the options of a blocking client whose calls end within so many seconds.

    They add to those of a `BlockingConnectionPool`: half of the time for the wait for a connection, half for an answer
    or a new connection, and no repetition.
    """
    half = within / 2
    return {
        "timeout": half,
        "socket_timeout": half,
        "socket_connect_timeout": half,
        "retry": Retry(NoBackoff(), 0),
    }


def longest(client: Any) -> float:
    """Return the seconds for which a call may wait by the client's own settings; infinite where one is missing."""
    pool = client.connection_pool
    connection = pool.connection_class(**pool.connection_kwargs)  # never opened: it shows what the pool would open
    waits: list[Any] = [connection.socket_timeout, connection.socket_connect_timeout]
    if isinstance(pool, BlockingConnectionPool):
        waits.append(pool.timeout)
    if connection.retry.get_retries() or None in waits:
        return math.inf
    return float(max(waits[:2]) + sum(waits[2:]))


class Waiting:
    """Threads that wait in place of their callers."""

    def __init__(self) -> None:
        self._owner: int | None = None

    def call(self, work: Callable[[], _T], within: float) -> _T:
        """Return what the work returns. Raises `TimeoutError` if it is not done by then; it then ends in its thread."""
        if self._owner != os.getpid():  # threads do not survive a fork
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="authx-redis")
            self._owner = os.getpid()
        future = self._threads.submit(work)
        try:
            return future.result(within)
        except TimeoutError:
            future.cancel()
            raise
