"""Timeouts of blocking clients.

A blocking socket cannot be interrupted from outside; only its driver can set its timeout. `settings` are the options by
which a client keeps a timeout itself. For other clients, a thread waits in the caller's place; also for a client of a
cluster, which looks for its nodes one after the other while all other callers wait.
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
"""Calls that wait at once; threads are started as they are needed."""


def settings(within: float) -> dict[str, Any]:
    """Return the options of a `BlockingConnectionPool` whose client's calls end within this many seconds.

    Half of the time is for the wait for a connection, half for the answer or a new connection. There are no retries.
    """
    half = within / 2
    return {
        "timeout": half,
        "socket_timeout": half,
        "socket_connect_timeout": half,
        "retry": Retry(NoBackoff(), 0),
    }


def longest(client: Any) -> float:
    """Return the seconds that a call may wait by the client's own settings: infinite if one of them is missing."""
    pool = client.connection_pool
    connection = pool.connection_class(**pool.connection_kwargs)  # never opened: it only shows the settings
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
        """Return the result of ``work``. Raises `TimeoutError` after ``within`` seconds; the work then goes on."""
        if self._owner != os.getpid():  # threads do not survive a fork
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="authx-redis")
            self._owner = os.getpid()
        future = self._threads.submit(work)
        try:
            return future.result(within)
        except TimeoutError:
            future.cancel()
            raise
