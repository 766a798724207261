"""Two processes with 16 threads or tasks each use one server at once, and nothing is lost or duplicated."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.managers import SyncManager
from typing import Any, Final

import pytest

from authx_adapters.clock import ManualClock
from authx_core import UserQuery
from authx_core.ports import Cache, UserStore
from engines.drivers import DRIVERS, Driver, prepare
from engines.racing import KINDS, MINUTE, RACERS, ROUNDS, WON, new_user, race

PROCESSES: Final = 2
EVERYBODY: Final = PROCESSES * RACERS
RACING: Final = [
    DRIVERS[name]
    for name in (
        *("sqlite", "psycopg", "pymysql", "pymongo", "pymongo-set", "redis", "redis-cluster"),
        *("aiosqlite", "asyncpg", "asyncmy", "async-pymongo", "async-redis", "async-redis-cluster"),
    )
]


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def manager() -> Iterator[SyncManager]:
    with multiprocessing.get_context("spawn").Manager() as manager:
        yield manager


@pytest.mark.parametrize("driver", RACING, ids=str)
async def test_every_race_has_an_exact_result(
    driver: Driver, processes: ProcessPoolExecutor, manager: SyncManager
) -> None:
    with driver.space() as url:
        async with driver.client(url) as client:
            cache = driver.cache(client, url, ManualClock())
            await fill_cache(cache)
            if driver.keeps_users:
                store = driver.users(client, url)
                await fill_store(store)
            together = manager.Barrier(PROCESSES)
            calls = [processes.submit(race, driver.name, url, number, together) for number in range(PROCESSES)]
            errors = [error for call in calls if (error := call.exception())]
            assert not errors, "\n".join(map(str, errors))
            first, second = (call.result() for call in calls)
            results = {name: [*first[name], *second[name]] for name in first}
            await check_cache(cache, results)
            if driver.keeps_users:
                await check_store(store, results)


async def fill_store(store: UserStore) -> None:
    await prepare(store)
    racers = [f"racer {racer} {number}" for racer in range(EVERYBODY) for number in ROUNDS]
    for name in ("shared", *racers, *(f"doomed {number}" for number in ROUNDS)):
        await store.create(new_user(name))


async def check_store(store: UserStore, results: dict[str, list[Any]]) -> None:
    for tally in tallies(results["create_one_id"]):
        assert tally == {WON: 1, frozenset({"id"}): EVERYBODY - 1}
    kinds = [kind for kind in KINDS for _ in ROUNDS]
    for name in ("create_one_key", "update_to_one_key"):
        for kind, tally in zip(kinds, tallies(results[name]), strict=True):
            assert tally == {WON: 1, frozenset({kind}): EVERYBODY - 1}
    for tally in tallies(results["delete_users"]):
        assert tally == {True: 1, False: EVERYBODY - 1}
    assert sorted(results["compare_and_set"]) == list(range(2, EVERYBODY + 2))
    shared = await store.get("shared")
    assert shared
    assert (shared.epoch, shared.version) == (EVERYBODY + 1, EVERYBODY + 1)
    assert shared.permissions == {str(racer) for racer in range(EVERYBODY)}
    assert await store.count(UserQuery()) == 1 + EVERYBODY * len(ROUNDS) + len(ROUNDS) + len(kinds)


async def fill_cache(cache: Cache) -> None:
    await prepare(cache)
    for number in ROUNDS:
        await cache.set(f"popped {number}", f"value {number}", ttl=MINUTE)
        await cache.set(f"deleted {number}", "value", ttl=MINUTE)


async def check_cache(cache: Cache, results: dict[str, list[Any]]) -> None:
    counts = [count for racer in results["count"] for count in racer]
    for key in ("alone", "a", "b"):
        assert sorted(count[key] for count in counts) == list(range(1, len(counts) + 1))
    for number, tally in enumerate(tallies(results["pop"])):
        assert tally == {f"value {number}": 1, None: EVERYBODY - 1}
    for name in ("add", "delete_entries"):
        for tally in tallies(results[name]):
            assert tally == {True: 1, False: EVERYBODY - 1}
    winners = [str(outcomes.index(True)) for outcomes in zip(*results["add"], strict=True)]
    assert await cache.get_many([f"added {number}" for number in ROUNDS]) == winners
    gone = [f"{name} {number}" for name in ("popped", "deleted") for number in ROUNDS]
    assert await cache.get_many(gone) == [None] * len(gone)


def tallies(outcomes: Sequence[Iterable[Any]]) -> Iterator[Counter[Any]]:
    """Count the outcomes of all racers, round by round."""
    return map(Counter, zip(*outcomes, strict=True))
