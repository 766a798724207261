"""The servers that all tests of a process share, one of each kind, found or started on first use."""

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
"""The URLs to try for a running server, and the check that it can be used."""

OWN = "own"
"""In place of a URL: start a server even if one runs on the usual port; ours keeps its data in memory."""

_found: dict[Kind, str | Unavailable] = {}
_one_at_a_time = Lock()


def url(kind: Kind) -> str:
    """Return the URL of a server: named by ``AUTHX_TEST_<KIND>_URL``, running on its usual port, or started by us.

    The variable may be ``own``, too.

    Raises `Unavailable` if there is none.
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
    """Return the name of the environment variable for a server's URL."""
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
    os.environ[variable(kind)] = server.url  # for child processes of the tests
    return server.url
