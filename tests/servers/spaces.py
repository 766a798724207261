"""A private space on a shared server, so that no test sees another's data."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Literal, TypeAlias
from urllib.parse import urlsplit
from uuid import uuid4

from servers import mariadb, mongodb, postgresql, redis
from servers.shared import url, variable

DatabaseKind: TypeAlias = Literal["postgres", "mariadb", "mongodb", "mongodb-replica-set"]
RedisKind: TypeAlias = Literal["redis", "redis-cluster"]


_lent = ExitStack()


@contextmanager
def database(kind: DatabaseKind, at: str | None = None) -> Iterator[str]:
    """Create an empty database on the shared server or the one at a URL, and drop it after the block."""
    server, name = at or url(kind), f"authx_{uuid4().hex}"
    create, drop = DATABASES[kind]
    create(server, name)
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        drop(server, name)


@cache
def lasting(kind: DatabaseKind) -> str:
    """Create a database that lives until this process ends; its child processes use the same one."""
    name = variable(kind).replace("TEST", "LENT")
    if name not in os.environ:
        os.environ[name] = _lent.enter_context(database(kind))
        atexit.register(_lent.close)  # runs before the server, registered earlier, is closed
    return os.environ[name]


@contextmanager
def prefix(kind: RedisKind = "redis", at: str | None = None) -> Iterator[str]:
    """Yield a unique key prefix, and delete all keys that begin with it after the block."""
    unique = f"authx-{uuid4().hex}:"
    server = at or url(kind)
    try:
        yield unique
    finally:
        redis.delete_prefix(server, unique, cluster=kind == "redis-cluster")


def _at_first_write(_: str, __: str) -> None:
    """Do nothing: MongoDB creates a database with its first document."""


DATABASES: dict[DatabaseKind, tuple[Callable[[str, str], None], Callable[[str, str], None]]] = {
    "postgres": (postgresql.create_database, postgresql.drop_database),
    "mariadb": (mariadb.create_database, mariadb.drop_database),
    "mongodb": (_at_first_write, mongodb.drop_database),
    "mongodb-replica-set": (_at_first_write, mongodb.drop_database),
}
