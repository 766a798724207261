"""The server that all tests of a process share, one of each kind, looked for when the first test asks."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from threading import Lock
from typing import get_args

from servers import mariadb, mongodb, postgresql, redis
from servers.private import START, Kind, first_start
from servers.process import Unavailable

KINDS: tuple[Kind, ...] = get_args(Kind)

USUAL: dict[Kind, tuple[tuple[str, ...], Callable[[str], bool]]] = {
    "postgres": (postgresql.USUAL, postgresql.admits),
    "mariadb": (mariadb.USUAL, mariadb.admits),
    "mongodb": (mongodb.USUAL, mongodb.admits),
    "redis": (redis.USUAL, redis.admits),
}
"""Where a running server would be, and how to tell that it is one for us."""

OWN = "own"
"""In place of a URL: start a server, even if one runs on the usual port; ours keeps its data in memory."""

_found: dict[Kind, str | Unavailable] = {}
_one_at_a_time = Lock()


def url(kind: Kind) -> str:
    """Tell where tests find a server: named by ``AUTHX_TEST_<KIND>_URL``, running on its usual port, or started by us.

    The variable may be ``own``, too.

    Raises `Unavailable` when it cannot be had.
    """
    named = os.environ.get(variable(kind), "")
    if named not in {"", OWN}:
        return named
    with _one_at_a_time:
        if kind not in _found:
            _found[kind] = (named != OWN and _running(kind)) or _started(kind)
        found = _found[kind]
    if isinstance(found, Unavailable):
        raise Unavailable(*found.args)
    return found


def variable(kind: Kind) -> str:
    """Name the environment variable that holds a server's URL."""
    return f"AUTHX_TEST_{kind.upper().replace('-', '_')}_URL"


def _running(kind: Kind) -> str | None:
    places, admits = USUAL.get(kind, ((), bool))
    return next(filter(admits, places), None)


def _started(kind: Kind) -> str | Unavailable:
    server = START[kind]()
    atexit.register(server.close)
    try:
        first_start(server)
    except Unavailable as reason:
        return reason
    os.environ[variable(kind)] = server.url  # for processes that a test starts
    return server.url
