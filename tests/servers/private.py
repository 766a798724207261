"""A server of one's own, to be killed and started again."""

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
    """Lend a freshly started server, always a private one; close it at the end, whatever was done to it."""
    return _lend(START[kind]())


def first_start(server: Server | Group[Any]) -> None:
    """Start a server that cannot be had if it does not; one that has run and does not come back is an error."""
    try:
        server.start()
    except OSError as error:  # no such program, not for this machine, ended at once, does not answer
        raise Unavailable(str(error)) from error


@contextmanager
def _lend(server: Private) -> Iterator[Private]:
    try:
        first_start(server)
        yield server
    finally:
        server.close()
