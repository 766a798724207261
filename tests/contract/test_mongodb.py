"""The MongoDB adapters keep the contract: blocking and asynchronous, on a standalone server and a replica set."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.collation import Collation

import servers
from authx_adapters.mongodb import MongoCache, MongoUserStore
from authx_contract import Capabilities, Harness, SteppedClock, contract_tests, never_suspends
from authx_core.ports import Cache, UserStore
from servers.spaces import DatabaseKind

TIMEOUT = 2_000
"""Milliseconds after which a server counts as down, as an application sets it; PyMongo waits for half a minute."""


class BlockingMongoDB(Harness):
    """Each handle has its own client, on the collections of a namespace."""

    name = "mongodb"
    capabilities = Capabilities(namespaced=True, processes=True)
    kind: ClassVar[DatabaseKind] = "mongodb"

    def __init__(self) -> None:
        self.clients: list[MongoClient[Any]] = []
        self.spoiled = False

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        self.clients.append(MongoClient(self.url, serverSelectionTimeoutMS=TIMEOUT))
        store = MongoUserStore(self.clients[-1].get_default_database(), prefix=self.prefix)
        await store.ensure_indexes()
        return never_suspends(store)

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        self.clients.append(MongoClient(self.url, serverSelectionTimeoutMS=TIMEOUT))
        cache = MongoCache(self.clients[-1].get_default_database(), clock, prefix=self.prefix)
        return never_suspends(cache)

    async def stored(self) -> int:
        with MongoClient[Any](self.url) as client:
            return client.get_default_database()[f"{self.prefix}cache"].count_documents({})

    async def age_schema(self) -> None:
        """Replace the unique index of addresses by one that is not unique."""
        self.spoiled = True
        with MongoClient[Any](self.url) as client:
            users = client.get_default_database()[f"{self.prefix}users"]
            users.drop_index("email_key_1")
            users.create_index("email_key")

    async def foreign_schema(self) -> None:
        """Create the collection with a collation that ignores accents."""
        self.spoiled = True
        with MongoClient[Any](self.url) as client:
            client.get_default_database().drop_collection(f"{self.prefix}users")
            client.get_default_database().create_collection(
                f"{self.prefix}users", collation=Collation("fr", strength=1)
            )

    async def reset(self) -> None:
        await self.close()
        with MongoClient[Any](self.url) as client:
            for name in ("users", "settings", "cache"):
                collection = client.get_default_database()[self.prefix + name]
                if self.spoiled:
                    collection.drop()
                else:  # ten times as fast, because the indexes stay
                    collection.delete_many({})
        self.spoiled = False

    async def close(self) -> None:
        while self.clients:
            self.clients.pop().close()

    @property
    def url(self) -> str:
        return servers.lasting(self.kind)

    @property
    def prefix(self) -> str:
        return f"{self.namespace}."


class AsyncMongoDB(BlockingMongoDB):
    """For an event loop."""

    name = "mongodb-async"

    def __init__(self) -> None:
        super().__init__()
        self.own: list[AsyncMongoClient[Any]] = []

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        self.own.append(AsyncMongoClient(self.url, serverSelectionTimeoutMS=TIMEOUT))
        store = MongoUserStore(self.own[-1].get_default_database(), prefix=self.prefix)
        await store.ensure_indexes()
        return store

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        self.own.append(AsyncMongoClient(self.url, serverSelectionTimeoutMS=TIMEOUT))
        return MongoCache(self.own[-1].get_default_database(), clock, prefix=self.prefix)

    async def close(self) -> None:
        await super().close()
        while self.own:
            await self.own.pop().close()


class MongoDBReplicaSet(BlockingMongoDB):
    """Three members."""

    name = "mongodb-replica-set"
    kind = "mongodb-replica-set"


class AsyncMongoDBReplicaSet(AsyncMongoDB):
    """The same for an event loop."""

    name = "mongodb-replica-set-async"
    kind = "mongodb-replica-set"


pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # PyMongo leaves one open

TestMongoDB = contract_tests(BlockingMongoDB)
TestAsyncMongoDB = contract_tests(AsyncMongoDB)
TestMongoDBReplicaSet = contract_tests(MongoDBReplicaSet)
TestAsyncMongoDBReplicaSet = contract_tests(AsyncMongoDBReplicaSet)
