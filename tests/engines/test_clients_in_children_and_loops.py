"""Clients of Redis and MongoDB in a forked child and in another event loop: no wrong reply, no hang."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import traceback
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import Any, Final

import pytest
from pymongo import MongoClient
from redis import ConnectionPool, Redis, RedisCluster
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio import RedisCluster as AsyncRedisCluster

import servers
from authx_adapters.clock import SystemClock
from authx_adapters.mongodb import MongoCache, MongoUserStore
from authx_adapters.redis import RedisCache, RedisEvents
from authx_core import Cache, run
from authx_core.domain import InvalidValue
from authx_core.domain.events import BlackoutLifted
from engines.drivers import DRIVERS, Driver
from engines.redis_clients import MINUTE

OURS: Final = [driver for driver in DRIVERS.values() if driver.kind not in {None, "postgres", "mariadb"}]
BLOCKING: Final = [driver for driver in OURS if driver.blocking]
ASYNCHRONOUS: Final = [driver for driver in OURS if not driver.blocking]
CHILDREN: Final = 8
ROUNDS: Final = 15
TIMEOUT: Final = 30
"""Seconds after which a child that hangs is killed."""

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # a child or a closed loop leaves sockets open


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Collect what a closed loop leaves open while its warnings are still ignored."""
    yield
    gc.collect()


def forked(work: Callable[[], object]) -> int:
    """Run work in a child; return the child's process id, for `ended`."""
    child = os.fork()
    if child:
        return child
    signal.alarm(TIMEOUT)
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - pytest must not continue in a child
        traceback.print_exc()
    finally:
        os._exit(status)


def ended(child: int) -> int:
    """Wait for a child; return its status, 0 for success."""
    return os.waitpid(child, 0)[1]


def read_own(cache: Cache, name: str) -> None:
    """Write and read values that no other process or thread has."""
    for number in range(ROUNDS):
        run(cache.set(name, f"{name} {number}", ttl=MINUTE))
        assert run(cache.get(name)) == f"{name} {number}"


@pytest.mark.parametrize("driver", BLOCKING, ids=str)
async def test_a_forked_child_gets_connections_of_its_own(driver: Driver) -> None:
    """While the parent's threads use theirs."""
    with driver.space() as url:
        async with driver.client(url) as client:
            cache = driver.cache(client, url, SystemClock())
            stop = Event()

            def use(name: str) -> None:
                while not stop.is_set():
                    read_own(cache, name)

            with ThreadPoolExecutor(4) as threads:
                calls = [threads.submit(use, f"thread {number}") for number in range(4)]
                read_own(cache, "before")
                children = [forked(lambda n=number: read_own(cache, f"child {n}")) for number in range(CHILDREN)]  # type: ignore[misc] # a lambda's default
                ends = [ended(child) for child in children]
                stop.set()
                for call in calls:
                    call.result()
            assert ends == [0] * CHILDREN


@pytest.mark.parametrize("driver", [each for each in BLOCKING if not each.keeps_users], ids=str)
async def test_a_lock_that_a_thread_holds_during_a_fork_is_free_in_the_child(driver: Driver) -> None:
    with driver.space() as url:
        async with driver.client(url) as client:
            cache = driver.cache(client, url, SystemClock())
            read_own(cache, "before")
            for lock in locks(client):
                held, done = Event(), Event()

                def hold(lock: Lock = lock, held: Event = held, done: Event = done) -> None:
                    with lock:
                        held.set()
                        done.wait(TIMEOUT)

                with ThreadPoolExecutor(1) as threads:
                    holding = threads.submit(hold)
                    held.wait(TIMEOUT)
                    child = forked(lambda: read_own(cache, "child"))
                    end = ended(child)
                    done.set()
                    holding.result()
                assert end == 0


def locks(client: Any) -> list[Any]:
    """Return the locks that redis-py takes to get a connection."""
    if isinstance(client, RedisCluster):
        manager = client.nodes_manager
        node: Any = next(iter(manager.nodes_cache.values()))
        pool = node.redis_connection.connection_pool
        return [client._lock, manager._lock, manager._initialization_lock, pool._fork_lock]
    return [client.connection_pool._lock, client.connection_pool._fork_lock]


async def test_a_single_connection_client_is_refused_in_a_child() -> None:
    with servers.prefix() as prefix, Redis.from_url(servers.url("redis"), single_connection_client=True) as client:
        cache = RedisCache(client, prefix=prefix)
        read_own(cache, "parent")
        assert ended(forked(lambda: refused(cache.get("key"), "client", "forked"))) == 0
        read_own(cache, "parent")


def refused(call: Coroutine[Any, Any, object], field: str, code: str) -> None:
    """Check that a call is refused with this field and code."""
    with pytest.raises(InvalidValue) as invalid:
        run(call)
    assert [(problem.field, problem.code) for problem in invalid.value.problems] == [(field, code)]


@pytest.mark.parametrize("driver", ASYNCHRONOUS, ids=str)
async def test_an_asynchronous_client_is_refused_in_a_child(driver: Driver) -> None:
    with driver.space() as url:
        async with driver.client(url) as client:
            cache = driver.cache(client, url, SystemClock())
            await cache.set("key", "value", ttl=MINUTE)

            async def in_child() -> None:
                with pytest.raises(InvalidValue) as invalid:
                    await cache.get("key")
                assert invalid.value.problems[0].code == "forked"

            assert ended(forked(lambda: in_a_new_loop(in_child))) == 0
            assert await cache.get("key") == "value"


def in_a_new_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio._set_running_loop(None)
    asyncio.run(work())


async def test_a_mongodb_session_is_refused_in_a_child() -> None:
    with (
        servers.database("mongodb-replica-set") as url,
        MongoClient[Any](url) as client,
        client.start_session() as session,
    ):
        store = MongoUserStore(client.get_default_database(), session=session)
        run(store.get("nobody"))
        assert ended(forked(lambda: refused(store.get("nobody"), "session", "forked"))) == 0
        run(store.get("nobody"))


@pytest.mark.filterwarnings("error::UserWarning")
async def test_a_childs_first_call_to_mongodb_emits_no_warning() -> None:
    with servers.database("mongodb") as url, MongoClient[Any](url) as client:
        cache = MongoCache(client.get_default_database(), SystemClock())
        read_own(cache, "parent")
        assert ended(forked(lambda: read_own(cache, "child"))) == 0


@pytest.mark.parametrize("driver", ASYNCHRONOUS, ids=str)
def test_a_module_level_client_is_refused_in_every_event_loop_but_its_first(driver: Driver) -> None:
    """Also through a new adapter."""
    with driver.space() as url:
        client = driver.open(url.partition("#")[0])
        shared = driver.cache(client, url, SystemClock())

        async def use(cache: Cache) -> str:
            try:
                for number in range(3):
                    await asyncio.gather(*[cache.set(f"key {number}", "value", ttl=MINUTE) for _ in range(5)])
            except InvalidValue as invalid:
                return invalid.problems[0].code
            return "ok"

        codes = [asyncio.run(use(shared)) for _ in range(4)]
        codes += [asyncio.run(use(driver.cache(client, url, SystemClock()))) for _ in range(2)]
        assert codes == ["ok"] + ["foreign_loop"] * 5


@pytest.mark.parametrize("make", [AsyncRedis, AsyncRedisCluster], ids=["one server", "cluster"])
def test_events_are_refused_in_every_event_loop_but_the_first(make: Any) -> None:
    client = make.from_url(servers.url("redis" if make is AsyncRedis else "redis-cluster"))
    events = RedisEvents(client)

    async def publish() -> str:
        try:
            await events.publish(BlackoutLifted())
        except InvalidValue as invalid:
            return invalid.problems[0].code
        return "ok"

    assert [asyncio.run(publish()) for _ in range(4)] == ["ok"] + ["foreign_loop"] * 3


def test_a_client_that_the_application_used_in_another_event_loop_is_refused() -> None:
    client = AsyncRedis.from_url(servers.url("redis"))

    async def ping() -> None:
        await client.ping()

    asyncio.run(ping())

    async def use() -> None:
        with pytest.raises(InvalidValue) as invalid:
            await RedisCache(client).get("key")
        assert invalid.value.problems[0].code == "foreign_loop"

    asyncio.run(use())
    asyncio.run(use())


def test_the_default_redis_pool_reconnects_in_a_child() -> None:
    with servers.prefix() as prefix, Redis.from_url(servers.url("redis"), max_connections=1) as client:
        assert type(client.connection_pool) is ConnectionPool
        cache = RedisCache(client, prefix=prefix)
        read_own(cache, "parent")
        children = [forked(lambda n=number: read_own(cache, f"child {n}")) for number in range(CHILDREN)]  # type: ignore[misc] # a lambda's default
        read_own(cache, "parent")
        assert [ended(child) for child in children] == [0] * CHILDREN
