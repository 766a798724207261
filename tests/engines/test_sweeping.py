"""Caches in a database remove what has expired by themselves: a little, now and then, and nothing that lives."""

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
PATIENT: Final = 20.0
"""Seconds of a call that a busy machine must not fail."""
SHORT: Final = 0.2
BUSY: Final = 8.0
"""Seconds that a busy machine may add; half of the timeout would be more."""
HANGING: Final = ("psycopg", "asyncpg", "pymysql", "asyncmy", "pymongo", "async-pymongo")

keeping_entries = pytest.mark.parametrize("driver", KEEPING_USERS, ids=str)


@keeping_entries
async def test_the_hundredth_write_removes_what_has_expired_and_nothing_else(driver: Driver) -> None:
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
    """A sweep is due after every write, and the wire hangs then."""

    def __init__(self, relay: Relay) -> None:
        super().__init__(PATIENT)
        self._relay = relay

    def is_due(self) -> bool:
        self._relay.freeze()
        return True

    def timeout(self, began: float) -> float | None:
        patience = super().timeout(began)
        assert patience is not None
        assert patience < PATIENT / 2
        return SHORT


@pytest.mark.parametrize("driver", [DRIVERS[name] for name in HANGING], ids=str)
async def test_a_sweep_that_hangs_fails_no_write_and_waits_for_a_part_of_the_timeout(driver: Driver) -> None:
    clock = ManualClock()
    with driver.space() as url, Relay(url) as relay:
        async with driver.client(relay.url) as client:
            cache_class = SQLAlchemyCache if driver in SQL else MongoCache
            cache: Any = cache_class(database(client, driver), clock, timeout=PATIENT)
            await prepare(cache)
            cache._sweeping = Due(relay)
            start = time.monotonic()
            await cache.set("key", "value", ttl=MINUTE)
            assert time.monotonic() - start < SHORT + BUSY
            relay.thaw()
            assert await cache.get("key") == "value"


def test_a_sweep_has_half_of_what_its_write_has_left_of_the_timeout() -> None:
    now = time.monotonic()
    patience = Sweeping(PATIENT).timeout(now - PATIENT / 2)
    assert patience is not None
    assert 0 < patience <= PATIENT / 4
    assert (Sweeping(PATIENT).timeout(now - PATIENT) or 0) > 0
    assert Sweeping(None).timeout(now) is None


def database(client: Any, driver: Driver) -> Any:
    return client if driver in SQL else client.get_default_database("authx")


@keeping_entries
async def test_all_other_writes_cost_what_they_did(driver: Driver) -> None:
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
    """All callers count the same keys in different orders, and their lifetimes end again and again."""
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
