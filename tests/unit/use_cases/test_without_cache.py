"""Limits while the cache is unavailable."""

from __future__ import annotations

from typing import Any

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_adapters.passlib import PasslibHasher
from authx_core import CacheUnavailable, Policy, UsersRepo

PASSWORD = "correct horse battery"


class Failing(MemoryCache):
    """A cache that is unavailable for some of its methods."""

    down: frozenset[str] = frozenset()

    async def increment_many(self, *args: Any, **options: Any) -> list[int]:
        if "increment" in self.down:
            raise CacheUnavailable
        return await super().increment_many(*args, **options)

    async def delete(self, key: str, /) -> bool:
        if "delete" in self.down:
            raise CacheUnavailable
        return await super().delete(key)


@pytest.fixture
def cache(clock: ManualClock) -> Failing:
    return Failing(clock)


def make(cache: Failing, clock: ManualClock, hasher: PasslibHasher, policy: Policy) -> UsersRepo:
    return UsersRepo(MemoryUserStore(), cache, clock=clock, hasher=hasher, policy=policy)


async def test_without_a_cache_a_limit_refuses_by_default(
    cache: Failing, clock: ManualClock, hasher: PasslibHasher
) -> None:
    users = make(cache, clock, hasher, Policy())
    cache.down = frozenset({"increment"})
    for call in (
        users.is_bruteforce("::1", "ana"),
        users.authenticate("ana", PASSWORD),
        users.is_password_reset_available("1"),
    ):
        with pytest.raises(CacheUnavailable):
            await call


async def test_without_a_cache_a_policy_may_admit_every_call(
    cache: Failing, clock: ManualClock, hasher: PasslibHasher
) -> None:
    users = make(cache, clock, hasher, Policy(without_cache="admit"))
    ana = await users.create({"username": "ana", "password": PASSWORD})
    cache.down = frozenset({"increment", "delete"})
    assert not await users.is_bruteforce("::1", "ana")
    assert await users.is_password_reset_available(ana.id)
    assert await users._check_timeout_and_incr("key", 1, 60)
    assert await users.authenticate("ana", PASSWORD, ip="::1") == ana


async def test_a_count_that_cannot_be_cleared_does_not_fail_a_login(
    cache: Failing, clock: ManualClock, hasher: PasslibHasher
) -> None:
    users = make(cache, clock, hasher, Policy())
    ana = await users.create({"username": "ana", "password": PASSWORD})
    cache.down = frozenset({"delete"})
    assert await users.authenticate("ana", PASSWORD) == ana
