"""A call that is cancelled at any of its awaits is all or nothing, and its client serves on with the right replies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any, Final

import attrs
import pytest
from pymongo import AsyncMongoClient, MongoClient

import servers
from authx_adapters.clock import ManualClock
from authx_adapters.mongodb import MongoCache, MongoUserStore
from authx_core.blocking import run
from authx_core.contract.clauses._users import EVERYBODY, full_user
from authx_core.domain import StaleUser, User

MINUTE: Final = timedelta(minutes=1)
NOON: Final = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
_LANDED: Final = 0.03
"""Seconds in which what is on the wire reaches its server."""
PERMISSIONS: Final = frozenset({"changed"})


class _CancelledAt(Coroutine[Any, Any, object]):
    """A call whose task is cancelled while it waits for the k-th time."""

    def __init__(self, call: Coroutine[Any, Any, object], k: int) -> None:
        self._call, self._k = call, k
        self.waits = 0

    def send(self, value: Any, /) -> Any:
        waited_for = self._call.send(value)
        self.waits += 1
        task = asyncio.current_task()
        assert task is not None
        if self.waits == self._k:
            asyncio.get_running_loop().call_soon(task.cancel)
        return waited_for

    def throw(self, *error: Any) -> Any:
        return self._call.throw(*error)

    def close(self) -> None:
        self._call.close()

    def __await__(self) -> Generator[Any, Any, object]:
        raise NotImplementedError  # a task only sends and throws


async def _sweep(make: Callable[[], Coroutine[Any, Any, object]], check: Callable[[], Awaitable[None]]) -> None:
    """Cancel a call at each of its awaits in turn, and check after each, until it ends before."""
    for k in count(1):
        call = _CancelledAt(make(), k)
        (outcome,) = await asyncio.gather(asyncio.create_task(call), return_exceptions=True)
        assert not isinstance(outcome, Exception) or isinstance(outcome, StaleUser), outcome
        await asyncio.sleep(_LANDED)
        await check()
        if call.waits < k:
            assert k > 2, "the call never waited"
            return


@asynccontextmanager
async def _one_connection(kind: Any) -> AsyncGenerator[tuple[Any, Any], None]:
    """Lend a database behind a client of one connection, and the same behind a blocking client."""
    with servers.database(kind) as url, MongoClient[dict[str, Any]](url) as other:
        async with AsyncMongoClient[dict[str, Any]](url, maxPoolSize=1, waitQueueTimeoutMS=5000) as client:
            yield client.get_default_database(), other.get_default_database()


def _renamed(user: User) -> User:
    return attrs.evolve(user, username="Eve", username_key="eve", permissions=PERMISSIONS, identities=(), version=2)


@pytest.mark.parametrize("kind", ["mongodb", "mongodb-replica-set"])
async def test_writing_users_is_all_or_nothing(kind: str) -> None:
    async with _one_connection(kind) as (database, other):
        store, witness = MongoUserStore(database), MongoUserStore(other)
        await store.ensure_indexes()
        bob, ann = await store.create(full_user("bob")), full_user("ann")

        async def whole(*states: list[User]) -> None:
            assert await store.get_by_email("bob@example.com") == bob, "a reply reached the wrong caller"
            assert await store.count(EVERYBODY) in {len(state) for state in states}
            there = run(witness.search(EVERYBODY, limit=9))
            assert there in states
            for user in there:
                assert [run(witness.get_by_social(each.provider, each.subject)) for each in user.identities] == [
                    user
                ] * len(user.identities)

        async def created() -> None:
            await whole([bob], [bob, ann])
            await store.delete(ann.id)

        async def updated() -> None:
            await whole([bob, ann], [bob, _renamed(ann)])
            await store.delete(ann.id)
            await store.create(ann)

        async def deleted() -> None:
            await whole([bob], [bob, ann])
            await store.delete(ann.id)
            await store.create(ann)

        changes: Any = {
            field: getattr(_renamed(ann), field) for field in ("username", "username_key", "permissions", "identities")
        }
        await _sweep(lambda: store.create(ann), created)
        await store.create(ann)
        await _sweep(lambda: store.update(ann.id, changes, expected={"version": 1}), updated)
        await _sweep(lambda: store.delete(ann.id), deleted)


@pytest.mark.parametrize("kind", ["mongodb", "mongodb-replica-set"])
async def test_reading_users_gives_everybody_their_own_reply(kind: str) -> None:
    async with _one_connection(kind) as (database, _):
        store = MongoUserStore(database)
        await store.ensure_indexes()
        ann, bob = await store.create(full_user("ann")), await store.create(full_user("bob"))

        async def right() -> None:
            assert await store.get(bob.id) == bob
            assert await store.get_by_username("nobody") is None

        for make in (
            lambda: store.get(ann.id),
            lambda: store.search(EVERYBODY, limit=9),
            lambda: store.count(EVERYBODY),
            store.get_blackout,
            lambda: store.set_blackout(NOON),
            lambda: store.update(ann.id, {}, expected={"epoch": 7}),
        ):
            await _sweep(make, right)


@pytest.mark.parametrize("kind", ["mongodb", "mongodb-replica-set"])
async def test_entries_are_whole_and_keep_their_deadlines(kind: str) -> None:
    async with _one_connection(kind) as (database, other):
        cache = MongoCache(database, ManualClock())

        async def whole() -> None:
            assert await cache.get_many(["sure", "absent"]) == ["sure", None], "a reply reached the wrong caller"
            assert all(entry.keys() == {"_id", "value", "deadline"} for entry in other["authx_cache"].find())

        await cache.set("sure", "sure", ttl=MINUTE)
        for make in (
            lambda: cache.set("key", "value", ttl=MINUTE),
            lambda: cache.add("added", "value", ttl=MINUTE),
            lambda: cache.increment_many(["counter", "other"], ttl=MINUTE),
            lambda: cache.get_many(["key", "counter"]),
            lambda: cache.pop("key"),
            lambda: cache.delete("added"),
            cache.purge,
        ):
            await _sweep(make, whole)
