"""What redis-py raises, in a sentence that says what happened and what to do.

The server's own sentences stay out of it: they may quote keys and arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,  # noqa: A004 - the driver's
    MasterDownError,
    MaxConnectionsError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004 - the driver's
)

from authx_adapters.common.bare import bare
from authx_adapters.redis.belonging import foreign_loop
from authx_core.domain import AuthxError, InvalidValue, PortUnavailable, Problem

_MISFITS: Final = {
    "WRONGTYPE": "holds data that is no text",
    "not an integer": "holds a value that is not a whole number",
    "overflow": "holds a whole number that has no room for the step",
}
"""What a server says about data that a command cannot work on, and what that means."""
_REFUSED: Final[Mapping[type[Exception], str]] = {
    ReadOnlyError: "the server is a replica and takes no writes: connect to the master",
    NoPermissionError: "the server's ACL forbids a command, a key or the channel: grant what docs/engines.md lists",
    AuthenticationError: "the server refuses the user's name or password, or wants one: check the client's credentials",
    OutOfMemoryError: "the server is out of memory: raise its maxmemory, or remove what it need not keep",
    BusyLoadingError: "the server is loading its data: wait until it has started",
    ClusterDownError: "the cluster is down: bring up the masters of all its slots",
    MasterDownError: "the server is a replica that has lost its master: connect to the master",
    MovedError: "the server is part of a cluster: connect with RedisCluster",
    AskError: "the server is part of a cluster: connect with RedisCluster",
}
"""Errors that a server answers with and that have a class of their own."""
_CODES: Final = {
    "MISCONF": "the server cannot save its data to disk and takes no writes: see its log",
    "NOREPLICAS": "too few replicas follow the server, which takes no writes: see its min-replicas-to-write",
    "BUSY": "the server is busy with a script: end it with SCRIPT KILL",
    "NOAUTH": _REFUSED[AuthenticationError],
    "WRONGPASS": _REFUSED[AuthenticationError],
    "NOPERM": _REFUSED[NoPermissionError],
    "READONLY": _REFUSED[ReadOnlyError],
    "OOM": _REFUSED[OutOfMemoryError],
    "LOADING": _REFUSED[BusyLoadingError],
    "CLUSTERDOWN": _REFUSED[ClusterDownError],
    "MASTERDOWN": _REFUSED[MasterDownError],
    "MOVED": _REFUSED[MovedError],
    "unknown command": "the server does not know a command: upgrade to Redis 6.2 or Valkey",
    "max number of clients": "the server has as many clients as it takes: raise its maxclients, or close some",
}
"""Those that have none, or are quoted by an error of a script."""
_UNREACHABLE: Final[Mapping[type[Exception], str]] = {
    MaxConnectionsError: "no connection is free: raise the client's max_connections, or take a BlockingConnectionPool",
    TimeoutError: "the server did not answer in time",
    RedisClusterException: "no node of the cluster can be reached",
    ConnectionError: "the server cannot be reached, or ended the connection",
}


def translated(error: Exception, unavailable: type[PortUnavailable]) -> AuthxError:
    """Return the port's error, with the driver's as its cause."""
    said = _said(error)
    meant = _meant(error, said, unavailable)
    quotes = "with args beginning with" in said
    meant.__cause__, meant.__suppress_context__ = None if quotes else bare(error), True
    return meant


def _said(error: Exception) -> str:
    """Return the server's sentence, without the command that a pipeline puts before it; it goes from the error too."""
    before, told, said = str(error).partition(" of pipeline caused error: ")
    if not told:
        return before
    error.args = (said,)
    return said


def _meant(error: Exception, said: str, unavailable: type[PortUnavailable]) -> AuthxError:
    kind = type(error).__name__
    if isinstance(error, RuntimeError) and ("event loop" in said.lower() or "different loop" in said):
        return foreign_loop()
    if isinstance(error, ResponseError) and (misfit := _by_mark(_MISFITS, said)):
        return InvalidValue(Problem("key", "invalid", misfit))
    if refusal := _by_kind(_REFUSED, error) or (isinstance(error, RedisError) and _by_mark(_CODES, said)):
        return unavailable(f"{kind}: {refusal}", answered=True)
    if failure := _by_kind(_UNREACHABLE, error):
        return unavailable(f"{kind}: {failure}")
    return unavailable(kind, answered=isinstance(error, ResponseError))


def _by_kind(meanings: Mapping[type[Exception], str], error: Exception) -> str | None:
    return next((meaning for kind, meaning in meanings.items() if isinstance(error, kind)), None)


def _by_mark(meanings: Mapping[str, str], said: str) -> str | None:
    return next((meaning for mark, meaning in meanings.items() if mark in said), None)
