"""Databases and key prefixes that all specimens of a process share, and harnesses that use a part of them each."""

from __future__ import annotations

import atexit
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import cache
from hashlib import sha1
from typing import Any, ClassVar

from pymongo import AsyncMongoClient
from redis.asyncio import Redis, RedisCluster

import servers
from authx_contract import Capabilities, Harness
from servers.spaces import DatabaseKind, RedisKind

_REWIND = """
local deadline = redis.call('PEXPIRETIME', KEYS[1])
if deadline >= 0 then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', deadline - ARGV[1])) end
"""


@cache
def database(kind: DatabaseKind) -> str:
    """Return the URL of a database that is dropped when the process ends."""
    return _until_the_end(servers.database(kind))


@cache
def prefix(kind: RedisKind) -> str:
    """Return a prefix of keys that are deleted when the process ends."""
    return _until_the_end(servers.prefix(kind))


def _until_the_end(lent: AbstractContextManager[str]) -> str:
    borrowed = lent.__enter__()
    atexit.register(lent.__exit__, None, None, None)
    return borrowed


class Namespaced(Harness):
    """A harness with a short, unique name for its specimen and namespace."""

    capabilities = Capabilities(namespaced=True)

    @property
    def place(self) -> str:
        name = f"{type(self).__module__}.{type(self).__name__}.{self.namespace}"
        return f"z{sha1(name.encode(), usedforsecurity=False).hexdigest()[:12]}_"


class OnRedis(Namespaced):
    """Each handle has a client of its own."""

    capabilities = Capabilities(namespaced=True, clock="server")
    kind: ClassVar[RedisKind] = "redis"
    patterns: ClassVar[tuple[str, ...]] = ("{}|*", "{{{}}}*")
    """Patterns that match the names of all keys under a prefix."""

    def __init__(self) -> None:
        self.clients: list[Any] = []

    @property
    def prefix(self) -> str:
        return f"{prefix(self.kind)}{type(self).__name__}.{self.namespace}"

    def client(self, **options: Any) -> Any:
        make: Any = RedisCluster if self.kind == "redis-cluster" else Redis
        self.clients.append(make.from_url(servers.url(self.kind), **options))
        return self.clients[-1]

    async def names(self) -> list[bytes]:
        found = set[bytes]()
        for pattern in self.patterns:
            there = self.admin.scan_iter(match=pattern.format(self.prefix), count=10_000)
            found |= {name async for name in there}
        return sorted(found)

    @property
    def admin(self) -> Any:
        return self.clients[0] if self.clients else self.client()

    async def reset(self) -> None:
        names = await self.names()
        for start in range(0, len(names), 1000):
            await self.admin.delete(*names[start : start + 1000])

    async def rewind(self, by: timedelta, /) -> None:
        milliseconds = by // timedelta(milliseconds=1)
        for name in await self.names():
            await self.admin.eval(_REWIND, 1, name, milliseconds)

    async def close(self) -> None:
        while self.clients:
            await self.clients.pop().aclose()


class OnMongoDB(Namespaced):
    """Each handle has a client of its own."""

    def __init__(self) -> None:
        self.clients: list[AsyncMongoClient[dict[str, Any]]] = []

    def client(self) -> AsyncMongoClient[dict[str, Any]]:
        self.clients.append(AsyncMongoClient(database("mongodb")))
        return self.clients[-1]

    def database(self, **options: Any) -> Any:
        """Return the database by a new client."""
        return self.client().get_default_database(**options)

    async def reset(self) -> None:
        there = (self.clients[0] if self.clients else self.client()).get_default_database()
        for name in await there.list_collection_names(filter={"name": {"$regex": f"^{self.place}"}}):
            await there[name].delete_many({})

    async def close(self) -> None:
        while self.clients:
            await self.clients.pop().close()
