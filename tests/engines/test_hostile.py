"""Every engine stores and finds hostile texts literally, or refuses them, exactly as memory does."""

from __future__ import annotations

from functools import cache
from typing import cast

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_core import InvalidValue, run
from authx_core.domain import limits
from engines import hostile
from engines.drivers import DRIVERS, KEEPING_USERS, Driver, prepare
from engines.hostile import REFUSED, TEXTS, label, shown

ONE_OF_A_KIND = [driver for driver in DRIVERS.values() if driver.kind != "mongodb-replica-set"]
STORES = [driver for driver in KEEPING_USERS if driver in ONE_OF_A_KIND]


@pytest.mark.parametrize("driver", STORES, ids=str)
async def test_hostile_texts_in_users(driver: Driver) -> None:
    with driver.space() as url:
        async with driver.client(url) as client:
            store = driver.users(client, url)
            await prepare(store)
            assert differing(await hostile.of_users(store), users_in_memory()) == {}


@pytest.mark.parametrize("driver", STORES, ids=str)
async def test_extreme_instants(driver: Driver) -> None:
    with driver.space() as url:
        async with driver.client(url) as client:
            store = driver.users(client, url)
            await prepare(store)
            assert differing(await hostile.of_instants(store), run(hostile.of_instants(MemoryUserStore()))) == {}


@pytest.mark.parametrize("driver", ONE_OF_A_KIND, ids=str)
async def test_hostile_texts_in_cache_entries(driver: Driver, clock: ManualClock) -> None:
    with driver.space() as url:
        async with driver.client(url) as client:
            entries = driver.cache(client, url, clock)
            await prepare(entries)
            assert differing(await hostile.of_entries(entries), entries_in_memory()) == {}


def test_memory_stores_and_finds_texts_literally_or_refuses_them() -> None:
    outcomes, entries = users_in_memory(), entries_in_memory()
    kept = {f"user {n}": text for n, text in enumerate(TEXTS) if text not in REFUSED and len(text) <= limits.MAX_EMAIL}
    for number, text in enumerate(TEXTS):
        name, user_id = label(text), f"user {number}"
        found = [outcomes[f"{look_up} {name}"] for look_up in ("get_by_email", "get_by_username", "get_by_social")]
        if user_id in kept:
            assert found == [outcomes[f"create {name}"]] * 3
            assert outcomes[f"search by permission {name}"] == [user_id]
            assert outcomes[f"search by email_prefix {name}"] == sorted(n for n in kept if kept[n].startswith(text))
            assert outcomes[f"search by username_contains {name}"] == sorted(n for n in kept if text in kept[n])
            assert entries[f"get {name}"] == shown(text)
        else:
            assert found == [None] * 3
            assert InvalidValue in cast("tuple[type]", outcomes[f"create {name}"])


@cache
def users_in_memory() -> hostile.Outcomes:
    return run(hostile.of_users(MemoryUserStore()))


@cache
def entries_in_memory() -> hostile.Outcomes:
    return run(hostile.of_entries(MemoryCache(ManualClock())))


def differing(outcomes: hostile.Outcomes, expected: hostile.Outcomes) -> dict[str, tuple[object, object]]:
    return {name: (outcomes[name], expected[name]) for name in expected if outcomes[name] != expected[name]}
