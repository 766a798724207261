"""redis-py's errors, translated to those of the ports, with a message that says what happened and what to do.

The server's own messages are left out: they may quote keys and arguments.
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
from authx_adapters.redis.ownership import foreign_loop
from authx_core.domain import AuthxError, InvalidValue, PortUnavailable, Problem

_WRONG_DATA: Final = {
    "WRONGTYPE": "holds data that is not text",
    "not an integer": "holds a value that is not a whole number",
    "overflow": "holds a whole number that has no room for the step",
}
"""Parts of a server's messages about data that a command cannot use, and their meanings."""
_REFUSED: Final[Mapping[type[Exception], str]] = {
    ReadOnlyError: "the server is a replica and takes no writes: connect to the master",
    NoPermissionError: "the server's ACL forbids a command, a key or the channel: grant what docs/engines.md lists",
    AuthenticationError: "the server refuses the user's name or password, or wants one: check the client's credentials",
    OutOfMemoryError: "the server is out of memory: raise its maxmemory, or remove data",
    BusyLoadingError: "the server is loading its data: wait until it has started",
    ClusterDownError: "the cluster is down: bring up the masters of all its slots",
    MasterDownError: "the server is a replica that has lost its master: connect to the master",
    MovedError: "the server is part of a cluster: connect with RedisCluster",
    AskError: "the server is part of a cluster: connect with RedisCluster",
}
"""Answers of a server that have a class of their own in redis-py."""
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
"""Answers that have none, or that the error of a script quotes."""
_UNREACHABLE: Final[Mapping[type[Exception], str]] = {
    MaxConnectionsError: "no connection is free: raise the client's max_connections, or take a BlockingConnectionPool",
    TimeoutError: "the server did not answer in time",
    RedisClusterException: "no node of the cluster can be reached",
    ConnectionError: "the server cannot be reached, or ended the connection",
}


def translated(error: Exception, unavailable: type[PortUnavailable]) -> AuthxError:
    """Return the port's error, with the driver's as its cause."""
    message = _message(error)
    translation = _meaning(error, message, unavailable)
    quotes = "with args beginning with" in message
    translation.__cause__, translation.__suppress_context__ = None if quotes else bare(error), True
    return translation


def _message(error: Exception) -> str:
    """Return the server's message. A pipeline puts the command before it, which is removed from the error too."""
    before, found, message = str(error).partition(" of pipeline caused error: ")
    if not found:
        return before
    error.args = (message,)
    return message


def _meaning(error: Exception, message: str, unavailable: type[PortUnavailable]) -> AuthxError:
    kind = type(error).__name__
    if isinstance(error, RuntimeError) and ("event loop" in message.lower() or "different loop" in message):
        return foreign_loop()
    if isinstance(error, ResponseError) and (fault := _by_part(_WRONG_DATA, message)):
        return InvalidValue(Problem("key", "invalid", fault))
    if refusal := _by_kind(_REFUSED, error) or (isinstance(error, RedisError) and _by_part(_CODES, message)):
        return unavailable(f"{kind}: {refusal}", answered=True)
    if failure := _by_kind(_UNREACHABLE, error):
        return unavailable(f"{kind}: {failure}")
    return unavailable(kind, answered=isinstance(error, ResponseError))


def _by_kind(meanings: Mapping[type[Exception], str], error: Exception) -> str | None:
    return next((meaning for kind, meaning in meanings.items() if isinstance(error, kind)), None)


def _by_part(meanings: Mapping[str, str], message: str) -> str | None:
    return next((meaning for part, meaning in meanings.items() if part in message), None)
