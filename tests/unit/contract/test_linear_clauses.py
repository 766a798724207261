"""U-091 and C-091 detect faults between concurrent callers in one run, and accuse no correct adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from copy import copy
from datetime import timedelta

import pytest

from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_contract import Capabilities, Harness, SteppedClock, run_clause
from authx_contract.probes import histories
from authx_contract.registry import find
from authx_contract.verdict.outcome import Outcome, Status
from authx_contract.verdict.verify import new_namespace
from authx_core.domain import CacheUnavailable, StaleUser, User, UserChanges, UserFields, UserId, UserNotFound
from authx_core.ports import Cache, UserStore
from contract.test_sqlite import AsyncSQLite, BlockingSQLite
from unit.contract.harnesses import Honest


class ComparesThenWrites(MemoryUserStore):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        user = await self.get(user_id)
        if user is None:
            raise UserNotFound(user_id)
        if any(getattr(user, field) != value for field, value in (expected or {}).items()):
            raise StaleUser(user_id)
        await asyncio.sleep(0)
        return await super().update(user_id, changes)


class LosesUpdates(MemoryUserStore):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        user = await self.get(user_id)
        await asyncio.sleep(0)
        before: UserChanges = {"epoch": user.epoch} if user else {}
        return await super().update(user_id, before | changes, expected=expected)


class CacheInFront(MemoryUserStore):
    front: dict[UserId, User | None]

    async def get(self, user_id: UserId, /) -> User | None:
        await asyncio.sleep(0)
        if user_id not in self.front:
            self.front[user_id] = await super().get(user_id)
        return self.front[user_id]


class PopsTwice(MemoryCache):
    async def pop(self, key: str, /) -> str | None:
        value = await self.get(key)
        await asyncio.sleep(0)
        await self.delete(key)
        return value

    async def delete(self, key: str, /) -> bool:
        return await super().pop(key) is not None


class CountsByHand(MemoryCache):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        counts = [int(value or 0) + by for value in await self.get_many(keys)]
        await asyncio.sleep(0)
        for key, count in zip(keys, counts, strict=True):
            await self.set(key, str(count), ttl=ttl)
        return counts


class LooksThenAdds(MemoryCache):
    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        there = await self.get(key) is not None
        await asyncio.sleep(0)
        if not there:
            await self.set(key, value, ttl=ttl)
        return not there


class HardlyAnswers(MemoryCache):
    async def pop(self, key: str, /) -> str | None:
        raise CacheUnavailable(f"no answer about {len(key)} characters")


class Tasks(Harness):
    """Handles over one object in memory; callers are tasks."""

    capabilities = Capabilities(backend="memory")
    store: type[MemoryUserStore] = MemoryUserStore
    kept: type[MemoryCache] = MemoryCache

    def __init__(self) -> None:
        self.users = self.store()
        self.cache: MemoryCache | None = None

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        users = copy(self.users)
        if isinstance(users, CacheInFront):
            users.front = {}
        return users

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        self.cache = self.cache or self.kept(clock)
        return self.cache


def outcome(harness: type[Harness], id_: str, *, seed: int = 0) -> Outcome:
    [clause] = find([id_])
    return run_clause(harness, clause, seed=seed, namespace=new_namespace())


@pytest.mark.parametrize("store", [ComparesThenWrites, LosesUpdates, CacheInFront])
def test_a_store_that_is_wrong_under_concurrency_is_detected(store: type[MemoryUserStore]) -> None:
    found = outcome(type(store.__name__, (Tasks,), {"store": store}), "U-091")
    assert found.status is Status.FAILED
    assert "impossible: caller " in found.observed


@pytest.mark.parametrize("cache", [PopsTwice, CountsByHand, LooksThenAdds])
def test_a_cache_that_is_wrong_under_concurrency_is_detected(cache: type[MemoryCache]) -> None:
    found = outcome(type(cache.__name__, (Tasks,), {"kept": cache}), "C-091")
    assert found.status is Status.FAILED
    assert "impossible: caller " in found.observed


def test_a_cache_that_hardly_answers_does_not_pass() -> None:
    found = outcome(type("Silent", (Tasks,), {"kept": HardlyAnswers}), "C-091")
    assert found.status is Status.FAILED
    assert "without an answer" in found.observed


@pytest.mark.parametrize(
    ("harness", "id_"),
    [
        (Tasks, "U-091"),
        (Tasks, "C-091"),
        (Honest, "U-091"),
        (Honest, "C-091"),
        (BlockingSQLite, "U-091"),
        (AsyncSQLite, "U-091"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
def test_a_correct_adapter_is_not_accused(harness: type[Harness], id_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories, "_SECONDS", 0.7)
    assert outcome(harness, id_).status is Status.PASSED
