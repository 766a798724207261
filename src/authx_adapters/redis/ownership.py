"""The process and the event loop that a client belongs to.

The connections of an asynchronous client belong to the event loop that opened them. redis-py does not notice if another
loop or a forked child uses them: then both read each other's replies. The pools of blocking clients notice a fork and
start again, but a lock that another thread held at that moment would never be released in the child, so it is released
here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet, ref

from redis import RedisCluster

from authx_adapters.common.forks import renew
from authx_core.domain import InvalidValue, Problem, Suspended

_homes: Final[WeakKeyDictionary[object, tuple[int, ref[asyncio.AbstractEventLoop]]]] = WeakKeyDictionary()
"""The process and the event loop of the first call, for each pool of connections."""
_blocking: Final[WeakSet[Any]] = WeakSet()


def check_asynchronous(client: Any) -> None:
    """Raise `InvalidValue` unless this process and event loop made the client's first call.

    Raises `Suspended` if no event loop runs.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise Suspended from None
    process, home = _homes.setdefault(getattr(client, "connection_pool", client), (os.getpid(), ref(loop)))
    if process != os.getpid():
        raise forked()
    if home() is not loop:
        raise foreign_loop()


def check_blocking(client: Any) -> None:
    """Raise `InvalidValue` if the client has a single connection, opened by the parent process."""
    connection = getattr(client, "connection", None)
    if connection is not None and connection.pid != os.getpid():
        raise forked()


def expect_forks(client: Any) -> None:
    """Release the locks of a blocking client in every child process."""
    _blocking.add(client)


def forked() -> InvalidValue:
    """Return the error for a client of another process."""
    reason = "has connections of the process that this one was forked from: give each process a client of its own"
    return InvalidValue(Problem("client", "forked", reason))


def foreign_loop() -> InvalidValue:
    """Return the error for a client of another event loop."""
    reason = "belongs to another event loop: give each loop a client of its own"
    return InvalidValue(Problem("client", "foreign_loop", reason))


def _renew_locks() -> None:
    for part in [part for client in _blocking for part in _parts(client)]:
        for attribute in vars(part).values():
            if hasattr(attribute, "_at_fork_reinit"):  # as locks have, for the standard library
                renew(attribute)


def _parts(client: Any) -> Iterator[object]:
    """Return every object that has locks."""
    yield client
    if isinstance(client, RedisCluster):
        manager: Any = client.nodes_manager
        yield manager
        for node in [*manager.nodes_cache.values(), *manager.startup_nodes.values()]:
            if node.redis_connection is not None:
                yield from _parts(node.redis_connection)
    else:
        yield client.connection_pool


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew_locks)
