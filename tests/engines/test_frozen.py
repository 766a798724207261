"""Calls end in time when members of a cluster or replica set, or a master behind sentinels, freeze."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from typing import Final, TypeAlias
from urllib.parse import quote

import pytest

import servers
from authx_adapters import connect, connect_blocking
from authx_adapters.clock import SystemClock
from authx_adapters.mongodb import MongoCache, MongoUserStore
from authx_adapters.redis import RedisCache, RedisEvents
from authx_contract.basics.threads import in_thread
from authx_contract.samples.users import make_user
from authx_core import run
from authx_core.domain import CacheUnavailable, PortUnavailable, StoreUnavailable, UserQuery
from authx_core.domain.events import BlackoutLifted
from engines.drivers import DRIVERS, Driver, prepare
from engines.redis_clients import OPERATIONS
from servers.mongodb import ReplicaSet
from servers.redis import Cluster, Guarded, Sentinel

TIMEOUT: Final = 0.3
BUSY: Final = 4.0
"""Seconds that a busy machine may add; the drivers' defaults would wait longer still."""
LONG: Final = 20.0
"""Seconds that a call or an election may take on a busy machine."""
CLUSTERS: Final = [DRIVERS["redis-cluster"], DRIVERS["async-redis-cluster"]]
SETS: Final = [DRIVERS["pymongo-set"], DRIVERS["async-pymongo-set"]]
Call: TypeAlias = Callable[[], Awaitable[object]]


async def create(store: MongoUserStore) -> None:
    await store.create(make_user())


STORE_CALLS: Final[list[Callable[[MongoUserStore], Awaitable[object]]]] = [
    lambda store: store.get("nobody"),
    lambda store: store.search(UserQuery(), limit=1),
    lambda store: store.count(UserQuery()),
    lambda store: store.get_blackout(),
    lambda store: store.set_blackout(None),
    create,
    lambda store: store.delete("nobody"),
    lambda store: store.ensure_indexes(),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with servers.private("redis-cluster") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def replica_set() -> Iterator[ReplicaSet]:
    with servers.private("mongodb-replica-set") as replica_set:
        yield replica_set


@contextmanager
def frozen(*members: servers.Server) -> Iterator[None]:
    for member in members:
        member.freeze()
    try:
        yield
    finally:
        for member in members:
            member.thaw()


def calls_of(driver: Driver, *calls: Call) -> list[Call]:
    """Return calls that can run concurrently: those of a blocking client run in threads."""

    async def made(call: Call) -> object:
        return await call()

    def in_threads(call: Call) -> Call:
        return lambda: in_thread(lambda: run(made(call)))

    return [in_threads(call) for call in calls] if driver.blocking else [*calls]


async def outcome(call: Call) -> PortUnavailable | None:
    """Make a call that must end in time; return its error, or None if it succeeds."""
    start = time.monotonic()
    try:
        await call()
    except PortUnavailable as error:
        return error
    finally:
        assert time.monotonic() - start < TIMEOUT + BUSY
    return None


async def outcomes(calls: Iterable[Call]) -> list[PortUnavailable | None]:
    """Make all calls at once."""
    return await asyncio.gather(*map(outcome, calls))


async def recover(calls: Iterable[Call]) -> None:
    """Repeat each call until it succeeds; every try must end in time."""
    deadline = time.monotonic() + LONG
    for call in calls:
        while (error := await outcome(call)) is not None:
            assert time.monotonic() < deadline, error
            await asyncio.sleep(0.02)


async def test_every_call_to_a_cluster_whose_nodes_freeze_ends_in_time(cluster: Cluster) -> None:
    async with AsyncExitStack() as clients:
        on_all_nodes, others, publishing = list[Call](), list[Call](), list[Call]()
        for driver in CLUSTERS:
            client = await clients.enter_async_context(driver.client(cluster.url))
            cache, events = RedisCache(client, timeout=TIMEOUT), RedisEvents(client, timeout=TIMEOUT)
            for name, operation in OPERATIONS.items():
                (on_all_nodes if name.endswith("many") else others).extend(calls_of(driver, partial(operation, cache)))
            publishing += calls_of(driver, partial(events.publish, BlackoutLifted()))
        await recover(on_all_nodes)
        with frozen(cluster.members[0]):
            errors = await outcomes([*on_all_nodes, *others, *publishing])
            assert {type(error) for error in errors[: len(on_all_nodes)]} == {CacheUnavailable}
        await recover(on_all_nodes)
        with frozen(*cluster.members):
            for _ in range(2):
                assert {type(error) for error in await outcomes([*on_all_nodes, *others])} == {CacheUnavailable}
                assert {type(error) for error in await outcomes(publishing)} == {PortUnavailable}
        await recover([*on_all_nodes, *publishing])


async def test_connect_limits_every_call_to_a_frozen_cluster_or_sentinel_master(
    cluster: Cluster, guarded: Guarded, sentinel: Sentinel
) -> None:
    passwords = f":{quote(guarded.password, safe='')}@", f"?sentinel_password={quote(sentinel.password)}"
    urls = (
        cluster.url.replace("redis", "redis+cluster"),
        f"redis+sentinel://{passwords[0]}127.0.0.1:{sentinel.port}/accounts{passwords[1]}",
    )
    async with AsyncExitStack() as opened:
        calls = list[Call]()
        for url in urls:
            users = await opened.enter_async_context(connect("memory://", cache_url=url, cache_timeout=TIMEOUT))
            blocking = opened.enter_context(connect_blocking("memory://", cache_url=url, cache_timeout=TIMEOUT))
            calls.append(partial(users._check_timeout_and_incr, "key", 1000, LONG))
            calls.append(partial(in_thread, partial(blocking._check_timeout_and_incr, "key", 1000, LONG)))
        await recover(calls)
        with frozen(*cluster.members, guarded):
            assert {type(error) for error in await outcomes(calls)} == {CacheUnavailable}
            with frozen(sentinel):
                await asyncio.gather(*map(fails_again, calls))
        await recover(calls)


async def fails_again(call: Call) -> None:
    """Repeat a call until the circuit breaker lets it through to the driver, where it must fail in time again."""
    deadline = time.monotonic() + LONG
    while "a moment ago" in str(error := await outcome(call)):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert type(error) is CacheUnavailable


async def test_every_call_to_a_replica_set_whose_members_freeze_ends_in_time(replica_set: ReplicaSet) -> None:
    """If only the primary freezes, the others elect another one, which serves until it returns."""
    async with AsyncExitStack() as clients:
        calls, kinds, writing = list[Call](), list[type[PortUnavailable]](), list[Call]()
        for driver in SETS:
            client = await clients.enter_async_context(driver.client(replica_set.url))
            database = client.get_default_database("authx")
            await prepare(MongoCache(database, SystemClock(), timeout=LONG))
            await prepare(MongoUserStore(database, timeout=LONG))
            cache, store = (
                MongoCache(database, SystemClock(), timeout=TIMEOUT),
                MongoUserStore(database, timeout=TIMEOUT),
            )
            calls += calls_of(driver, *[partial(call, cache) for call in OPERATIONS.values()])
            calls += calls_of(driver, *[partial(call, store) for call in STORE_CALLS])
            kinds += [CacheUnavailable] * len(OPERATIONS) + [StoreUnavailable] * len(STORE_CALLS)
            writing += calls_of(driver, partial(OPERATIONS["increment"], cache), partial(create, store))
        with frozen(replica_set.primary):
            errors = await outcomes(calls)
            assert all(error is None or type(error) is kind for error, kind in zip(errors, kinds, strict=True))
            await recover(writing)
        await recover(writing)
        with frozen(*replica_set.members):
            for _ in range(2):
                assert [type(error) for error in await outcomes(calls)] == kinds
        await recover(writing)
