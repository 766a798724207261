"""The MongoDB adapters keep the contracts: blocking and asynchronous, on a standalone server and a replica set."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.database import Database

import servers
from authx_adapters.mongodb import MongoCache, MongoUserStore
from authx_core.contract import CacheContract, SteppedClock, UserStoreContract, never_suspends
from authx_core.ports import Cache, UserStore


class _Blocking:
    """One client for all clauses."""

    kind: ClassVar[Any] = "mongodb"
    client: ClassVar[MongoClient[dict[str, Any]]]
    database: ClassVar[Database[dict[str, Any]]]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def connected(cls) -> Iterator[None]:
        with servers.database(cls.kind) as url, MongoClient[dict[str, Any]](url) as cls.client:
            cls.database = cls.client.get_default_database()
            yield

    @pytest.fixture(autouse=True)
    @classmethod
    def empty(cls) -> Iterator[None]:
        yield
        for name in cls.database.list_collection_names():
            cls.database[name].delete_many({})


class TestBlockingUserStore(_Blocking, UserStoreContract):
    async def open(self) -> UserStore:
        store = never_suspends(MongoUserStore(self.database))
        await store.ensure_indexes()
        return store


class TestBlockingCache(_Blocking, CacheContract):
    async def open(self, clock: SteppedClock, /) -> Cache:
        return never_suspends(MongoCache(self.database, clock))


class _Asynchronous(_Blocking):
    """A client for each clause: it belongs to one event loop."""

    @cached_property
    def own(self) -> AsyncMongoClient[dict[str, Any]]:
        """The client of this clause."""
        host, port = self.client.address or ("127.0.0.1", 27017)
        return AsyncMongoClient(host, port)

    async def close(self) -> None:
        await self.own.close()


class TestAsyncUserStore(_Asynchronous, UserStoreContract):
    async def open(self) -> UserStore:
        store = MongoUserStore(self.own[self.database.name])
        await store.ensure_indexes()
        return store


class TestAsyncCache(_Asynchronous, CacheContract):
    async def open(self, clock: SteppedClock, /) -> Cache:
        return MongoCache(self.own[self.database.name], clock)


class TestReplicaSetUserStore(TestAsyncUserStore):
    kind = "mongodb-replica-set"


class TestReplicaSetCache(TestAsyncCache):
    kind = "mongodb-replica-set"
