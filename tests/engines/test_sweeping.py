"""Caches in a database remove expired entries by themselves: a few now and then, and no others."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any, Final

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.common.sweeping import Sweeping
from authx_adapters.mongodb import MongoCache
from authx_adapters.sqlalchemy import SQLAlchemyCache
from authx_contract.basics.threads import in_thread
from authx_core import run
from engines.drivers import DRIVERS, KEEPING_USERS, SQL, Driver, prepare
from engines.trips import metered
from wire import Relay

MINUTE: Final = timedelta(minutes=1)
EVERY: Final = 100
"""Writes from one sweep to the next."""
EXPIRED: Final = 30
CALLERS: Final = 4
LONG: Final = 20.0
"""Seconds that a call may take on a busy machine."""
SHORT: Final = 0.2
BUSY: Final = 8.0
"""Seconds that a busy machine may add; less than half of the timeout."""
HANGING: Final = ("psycopg", "asyncpg", "pymysql", "asyncmy", "pymongo", "async-pymongo")

keeping_entries = pytest.mark.parametrize("driver", KEEPING_USERS, ids=str)


@keeping_entries
async def test_the_hundredth_write_removes_only_expired_entries(driver: Driver) -> None:
    clock = ManualClock()
    with driver.space() as url:
        async with driver.client(url) as client:
            cache: Any = driver.cache(client, url, clock)
            await prepare(cache)
            await cache.set("living", "value", ttl=2 * MINUTE)
            await cache.increment("counting", ttl=2 * MINUTE)
            for number in range(EXPIRED):
                await cache.add(f"expired {number}", "value", ttl=MINUTE)
            clock.advance(MINUTE)
            for _ in range(EVERY - EXPIRED - 2):
                await cache.set("written", "value", ttl=MINUTE)
            assert await cache.get_many(["living", "counting"]) == ["value", "1"]
            assert await cache.purge() == 0


class Due(Sweeping):
    """Makes a sweep due after every write, and freezes the relay then."""

    def __init__(self, relay: Relay) -> None:
        super().__init__(LONG)
        self._relay = relay

    def is_due(self) -> bool:
        self._relay.freeze()
        return True

    def timeout(self, began: float) -> float | None:
        left = super().timeout(began)
        assert left is not None
        assert left < LONG / 2
        return SHORT


@pytest.mark.parametrize("driver", [DRIVERS[name] for name in HANGING], ids=str)
async def test_a_hanging_sweep_fails_no_write_and_ends_before_the_timeout(driver: Driver) -> None:
    clock = ManualClock()
    with driver.space() as url, Relay(url) as relay:
        async with driver.client(relay.url) as client:
            cache_class = SQLAlchemyCache if driver in SQL else MongoCache
            cache: Any = cache_class(database(client, driver), clock, timeout=LONG)
            await prepare(cache)
            cache._sweeping = Due(relay)
            start = time.monotonic()
            await cache.set("key", "value", ttl=MINUTE)
            assert time.monotonic() - start < SHORT + BUSY
            relay.thaw()
            assert await cache.get("key") == "value"


def test_a_sweep_gets_half_of_the_time_that_its_write_left() -> None:
    now = time.monotonic()
    left = Sweeping(LONG).timeout(now - LONG / 2)
    assert left is not None
    assert 0 < left <= LONG / 4
    assert (Sweeping(LONG).timeout(now - LONG) or 0) > 0
    assert Sweeping(None).timeout(now) is None


def database(client: Any, driver: Driver) -> Any:
    return client if driver in SQL else client.get_default_database("authx")


@keeping_entries
async def test_all_other_writes_cost_no_extra_round_trip(driver: Driver) -> None:
    clock = ManualClock()
    with driver.space() as url:
        async with metered(driver, url, **driver.single) as (client, trips):
            cache = driver.cache(client, url, clock)
            await prepare(cache)
            costs = list[int]()
            for _ in range(EVERY + 5):
                before = trips()
                await cache.set("key", "value", ttl=MINUTE)
                costs.append(trips() - before)
    steady = costs[EVERY // 2]
    assert costs[EVERY // 2 : EVERY - 1] + costs[EVERY:] == [steady] * (EVERY // 2 + 4)
    assert costs[EVERY - 1] <= steady + 2


@pytest.mark.parametrize("driver", SQL, ids=str)
async def test_sweeps_and_writers_do_not_disturb_each_other(driver: Driver) -> None:
    """All callers increment the same keys in different orders, and the keys expire again and again."""
    clock = ManualClock()
    with driver.space() as url:
        async with driver.client(url) as client:
            cache = driver.cache(client, url, clock)
            await prepare(cache)
            keys = [f"key {number}" for number in range(4)]

            async def write(caller: int) -> None:
                for number in range(EVERY // 2):
                    await cache.increment_many(keys if caller % 2 else keys[::-1], ttl=MINUTE)
                    if number % CALLERS == caller:
                        clock.advance(MINUTE)

            if driver.blocking:
                await asyncio.gather(*[in_thread(lambda n=n: run(write(n))) for n in range(CALLERS)])  # type: ignore[misc] # a lambda's default
            else:
                await asyncio.gather(*map(write, range(CALLERS)))
