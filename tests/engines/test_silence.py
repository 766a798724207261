"""Calls to Redis and MongoDB end in time when the server hangs, and succeed after it closed idle connections."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final

import pytest
from pymongo import MongoClient
from redis import BlockingConnectionPool, Redis
from redis.asyncio import Redis as AsyncRedis

import servers
from authx_adapters.breaker import CircuitBreaker
from authx_adapters.clock import SystemClock
from authx_adapters.mongodb import MongoCache, MongoUserStore
from authx_adapters.redis import RedisCache, RedisEvents
from authx_adapters.redis.timeouts import settings
from authx_adapters.unbounded import UnboundedWarning
from authx_contract.samples.users import full_user, make_user
from authx_core import Cache, run
from authx_core.domain import CacheUnavailable, InvalidValue, PortUnavailable, StoreUnavailable
from authx_core.domain.events import BlackoutLifted
from engines.drivers import DRIVERS, Driver
from engines.redis_clients import KEYS, MINUTE, Make, connected, every_client, kind
from wire import Relay

TIMEOUT: Final = 0.3
BUSY: Final = 2.0
"""Seconds that a busy machine may add; the drivers' defaults would wait longer still."""
LONG: Final = 20.0
"""Seconds that a call may take on a busy machine."""
IDLE: Final = 1.05
"""Seconds of idleness after which PyMongo checks a connection before it uses it."""
RELAYED: Final = [DRIVERS[name] for name in ("redis", "async-redis", "pymongo", "async-pymongo")]
CALLERS: Final = 120
CALLS: Final[list[Callable[[Cache], Awaitable[object]]]] = [
    lambda cache: cache.get("key"),
    lambda cache: cache.set("key", "value", ttl=MINUTE),
    lambda cache: cache.increment_many(["counter", "another"], ttl=MINUTE),
]

relayed = pytest.mark.parametrize("driver", RELAYED, ids=str)


@asynccontextmanager
async def hanging(driver: Driver, **options: Any) -> AsyncGenerator[tuple[Relay, Any, str], None]:
    """Lend a relay to a server, a client on it, and the URL of its space."""
    with driver.space() as url, Relay(url.partition("#")[0]) as relay:
        async with driver.client(relay.url, **options) as client:
            yield relay, client, url


def made(client: Any, url: str, timeout: float | None) -> Cache:
    if isinstance(client, Redis | AsyncRedis):
        return RedisCache(client, prefix=url.partition("#")[2], timeout=timeout)
    return MongoCache(client.get_default_database("authx"), SystemClock(), timeout=timeout)


async def times_out(call: Awaitable[object], error: type[PortUnavailable]) -> None:
    start = time.monotonic()
    with pytest.raises(error):
        await call
    assert time.monotonic() - start < TIMEOUT + BUSY


@relayed
async def test_every_call_to_a_hanging_server_ends_in_time_and_succeeds_after_its_return(driver: Driver) -> None:
    async with hanging(driver) as (relay, client, url):
        cache = made(client, url, TIMEOUT)
        await cache.set("key", "value", ttl=MINUTE)
        relay.freeze()
        for call in CALLS:
            await times_out(call(cache), CacheUnavailable)
        relay.thaw()
        start = time.monotonic()
        assert await cache.get("key") == "value"
        assert time.monotonic() - start < 1 + BUSY


@pytest.mark.parametrize("driver", [each for each in RELAYED if each.keeps_users], ids=str)
async def test_every_user_store_call_to_a_hanging_server_ends_in_time(driver: Driver) -> None:
    async with hanging(driver) as (relay, client, _):
        store = MongoUserStore(client.get_default_database("authx"), timeout=TIMEOUT)
        await store.get("nobody")
        relay.freeze()
        for call in (store.get("nobody"), store.create(full_user("bob")), store.ensure_indexes()):
            await times_out(call, StoreUnavailable)
        relay.thaw()
        assert await store.get("nobody") is None


@pytest.mark.parametrize("driver", [each for each in RELAYED if not each.keeps_users], ids=str)
async def test_publishing_to_a_hanging_server_ends_in_time(driver: Driver) -> None:
    async with hanging(driver) as (relay, client, _):
        events = RedisEvents(client, timeout=TIMEOUT)
        await events.publish(BlackoutLifted())
        relay.freeze()
        await times_out(events.publish(BlackoutLifted()), PortUnavailable)


async def test_our_client_settings_alone_make_blocking_calls_end_in_time() -> None:
    with servers.prefix() as prefix, Relay(servers.url("redis")) as relay:
        pool = BlockingConnectionPool.from_url(relay.url, max_connections=1, **settings(TIMEOUT))
        with Redis(connection_pool=pool) as client:
            cache = RedisCache(client, prefix=prefix)
            await cache.set("key", "value", ttl=MINUTE)
            relay.freeze()
            with ThreadPoolExecutor(8) as threads:
                calls = [threads.submit(lambda: run(times_out(cache.get("key"), CacheUnavailable))) for _ in range(8)]
                for each in calls:
                    each.result()
            relay.thaw()
            assert await cache.get("key") == "value"
        pool.disconnect()


@relayed
async def test_none_of_many_callers_waits_longer_than_one_timeout(driver: Driver) -> None:
    """The circuit breaker refuses calls for a second after a timeout."""
    async with hanging(driver) as (relay, client, url):
        cache = CircuitBreaker(made(client, url, TIMEOUT))
        await cache.set("key", "value", ttl=MINUTE)
        relay.freeze()
        if driver.blocking:
            with ThreadPoolExecutor(CALLERS) as threads:
                calls = [threads.submit(lambda: run(times_out(cache.get("key"), CacheUnavailable))) for _ in KEYS * 4]
                for each in calls:
                    each.result()
        else:
            await asyncio.gather(*[times_out(cache.get("key"), CacheUnavailable) for _ in range(CALLERS)])
        with pytest.raises(CacheUnavailable, match="in a second"):
            await cache.get("key")
        relay.thaw()
        end = time.monotonic() + 1 + TIMEOUT + BUSY
        while time.monotonic() < end:
            try:
                assert await cache.get("key") == "value"
            except CacheUnavailable:
                await asyncio.sleep(0.05)
            else:
                return
        pytest.fail("the circuit breaker did not let a call through in time")


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), "1", True])
def test_an_invalid_timeout_is_refused(timeout: Any) -> None:
    with Redis() as client:
        for make in (RedisCache, RedisEvents):
            with pytest.raises(InvalidValue, match="timeout"):
                make(client, timeout=timeout)


@every_client
async def test_a_cache_without_a_timeout_warns(make: Make) -> None:
    async with connected(make, socket_timeout=None) as client:
        with pytest.warns(UnboundedWarning, match="timeout=5"):
            RedisCache(client)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UnboundedWarning)
            RedisCache(client, timeout=TIMEOUT)


def test_verify_schema_warns_of_a_mongodb_adapter_without_a_timeout() -> None:
    with servers.database("mongodb") as url, MongoClient[Any](url) as client:
        database = client.get_default_database()
        for adapter, bounded in (
            (MongoUserStore(database), MongoUserStore(database, timeout=5)),
            (MongoCache(database, SystemClock()), MongoCache(database, SystemClock(), timeout=5)),
        ):
            run(adapter.ensure_indexes())
            with pytest.warns(UnboundedWarning, match="timeout=5"):
                run(adapter.verify_schema())
            with warnings.catch_warnings():
                warnings.simplefilter("error", UnboundedWarning)
                run(bounded.verify_schema())
        with MongoClient[Any](url, timeoutMS=5000) as limited, warnings.catch_warnings():
            warnings.simplefilter("error", UnboundedWarning)
            run(MongoUserStore(limited.get_default_database()).verify_schema())


async def test_the_first_calls_after_mongodb_closed_idle_connections_succeed() -> None:
    """Read and write, blocking and asynchronous, on a standalone server, where PyMongo retries no write."""
    with servers.database("mongodb") as url, Relay(url) as relay:
        async with AsyncExitStack() as clients:
            stores = list[MongoUserStore]()
            for name in ("pymongo", "async-pymongo"):
                client = await clients.enter_async_context(DRIVERS[name].client(relay.url))
                stores.append(MongoUserStore(client.get_default_database(), timeout=LONG))
            for number in range(2):
                for store in stores:
                    await store.get("nobody")
                relay.hang_up()
                await asyncio.sleep(IDLE)
                for store in stores:
                    await (store.get("nobody") if number else store.create(make_user()))


@pytest.mark.parametrize("driver", [each for each in RELAYED if each.keeps_users], ids=str)
async def test_calls_on_connections_that_mongodb_just_closed_succeed_or_raise(driver: Driver) -> None:
    """A read is retried; a write may have arrived, and a standalone server would execute it twice."""
    async with hanging(driver) as (relay, client, url):
        cache = made(client, url, LONG)
        for number in range(20):
            await cache.get("key")
            relay.hang_up()
            if number % 2:
                assert await cache.get("key") in {None, "value"}
            else:
                with suppress(CacheUnavailable):
                    await cache.set("key", "value", ttl=MINUTE)


@every_client
async def test_the_first_calls_after_redis_closed_idle_connections_succeed(make: Make) -> None:
    """Also with a client that retries nothing."""
    with servers.private(kind(make)) as server:
        async with connected(make, server.url) as client:
            cache = RedisCache(client)
            for first in (
                lambda: cache.get_many(KEYS),
                lambda: cache.set("key", "value", ttl=MINUTE),
                lambda: cache.increment_many(KEYS[:5], ttl=MINUTE),
            ):
                await cache.increment_many(KEYS, ttl=MINUTE)
                members = [server] if isinstance(server, servers.Server) else server.members
                for member in members:
                    with Redis.from_url(member.url) as admin:
                        admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                await asyncio.sleep(0.01)  # lets the event loop notice, as it would while idle
                await first()
