"""A private server, which a test may kill and start again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, TypeAlias, overload

from servers.group import Group
from servers.mariadb import MariaDB
from servers.mongodb import Member, Mongod, ReplicaSet
from servers.postgresql import PostgreSQL
from servers.process import Server, Unavailable
from servers.redis import Cluster, Master, Valkey

Kind: TypeAlias = Literal["postgres", "mariadb", "mongodb", "mongodb-replica-set", "redis", "redis-cluster"]
Private: TypeAlias = Server | Group[Member] | Group[Master]

START: dict[Kind, Callable[[], Private]] = {
    "postgres": PostgreSQL,
    "mariadb": MariaDB,
    "mongodb": Mongod,
    "mongodb-replica-set": ReplicaSet,
    "redis": Valkey,
    "redis-cluster": Cluster,
}


@overload
def private(kind: Literal["mongodb-replica-set"]) -> AbstractContextManager[ReplicaSet]: ...
@overload
def private(kind: Literal["redis-cluster"]) -> AbstractContextManager[Cluster]: ...
@overload
def private(kind: Kind) -> AbstractContextManager[Private]: ...
def private(kind: Kind) -> AbstractContextManager[Private]:
    """Start a new server for the block, and close it in any state."""
    return _lend(START[kind]())


def first_start(server: Server | Group[Any]) -> None:
    """Start a server for the first time. Raises `Unavailable` if it does not start; a failed restart is an error."""
    try:
        server.start()
    except OSError as error:  # the program is missing or foreign, exits at once, or does not answer
        raise Unavailable(str(error)) from error


@contextmanager
def _lend(server: Private) -> Iterator[Private]:
    try:
        first_start(server)
        yield server
    finally:
        server.close()
