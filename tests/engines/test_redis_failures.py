"""The Redis cache when calls are cancelled, connections are few, replies are lost, or servers are killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis import BlockingConnectionPool, ConnectionError, Redis  # noqa: A004 - redis-py's name
from redis.asyncio import BlockingConnectionPool as AsyncBlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio import RedisCluster as AsyncRedisCluster
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff

import servers
from authx_adapters.redis import RedisCache
from authx_core import run
from authx_core.domain import CacheUnavailable
from engines.redis_clients import KEYS, MINUTE, OPERATIONS, Make, connected, kind, with_clients

asynchronous = with_clients("asynchronous", "asynchronous-cluster")

TURNS = 100
"""More turns of the event loop than any call needs, not counting those in which it waits for the server."""


@asynchronous
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_call_cancelled_at_any_moment_leaves_no_reply_for_another(make: Make, operation: str) -> None:
    """Cancel it in each turn of the event loop, on the client's only connection."""
    with servers.prefix(kind(make)) as prefix:
        async with few_connections(make) as client:
            cache = RedisCache(client, prefix=prefix)
            for key in KEYS:
                await cache.set(key, key, ttl=MINUTE)
            for turns in range(TURNS):
                await cancel_after(turns, OPERATIONS[operation](cache))
                assert await cache.get_many(KEYS) == KEYS
                assert await cache.get(KEYS[1]) == KEYS[1]
            for name in await client.keys(f"{prefix}*", **all_nodes(client)):
                lifetime: int = await client.pttl(name)
                assert lifetime > 0


async def cancel_after(turns: int, call: Awaitable[object]) -> None:
    """Cancel a call after this many turns of the event loop."""
    task = asyncio.ensure_future(call)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():  # it had finished, or `asyncio.wait_for` of Python 3.11 lost the cancellation
        task.result()


@asynccontextmanager
async def few_connections(make: Make, number: int = 1) -> AsyncIterator[AsyncRedis | AsyncRedisCluster]:
    """Lend a client with few connections, in a cluster to each node."""
    if make is AsyncRedisCluster:
        async with connected(make, max_connections=number) as cluster:
            assert isinstance(cluster, AsyncRedisCluster)
            yield cluster
        return
    pool = AsyncBlockingConnectionPool.from_url(servers.url("redis"), max_connections=number, timeout=20)
    async with AsyncRedis(connection_pool=pool) as client:
        yield client
    await pool.disconnect()


def all_nodes(client: object) -> dict[str, Any]:
    return {"target_nodes": AsyncRedisCluster.PRIMARIES} if isinstance(client, AsyncRedisCluster) else {}


@asynchronous
async def test_cancelled_callers_do_not_disturb_waiting_ones(make: Make) -> None:
    """All share two connections; half of the callers are cancelled, each at another moment."""
    with servers.prefix(kind(make)) as prefix:
        async with few_connections(make, 2) as client:
            cache = RedisCache(client, prefix=prefix)
            for key in KEYS:
                await cache.set(key, key, ttl=MINUTE)
            for turns in range(0, 200, 5):
                staying = [asyncio.ensure_future(cache.get_many([key, *KEYS])) for key in KEYS]
                leaving = [cancel_after(turns + n, cache.get_many([key])) for n, key in enumerate(KEYS)]
                await asyncio.gather(*leaving)
                assert await asyncio.gather(*staying) == [[key, *KEYS] for key in KEYS]


@asynchronous
async def test_two_hundred_calls_share_one_connection(make: Make) -> None:
    with servers.prefix(kind(make)) as prefix:
        async with few_connections(make) as client:
            cache = RedisCache(client, prefix=prefix)
            counts = await asyncio.gather(*[cache.increment("counter", ttl=MINUTE) for _ in range(200)])
        assert sorted(counts) == list(range(1, 201))


def test_threads_share_one_connection() -> None:
    with servers.prefix() as prefix:
        pool = BlockingConnectionPool.from_url(servers.url("redis"), max_connections=1, timeout=20)
        with Redis(connection_pool=pool) as client, ThreadPoolExecutor(16) as threads:
            cache = RedisCache(client, prefix=prefix)
            counts = list(threads.map(lambda _: run(cache.increment("counter", ttl=MINUTE)), range(200)))
        pool.disconnect()
        assert sorted(counts) == list(range(1, 201))


@with_clients("blocking", "asynchronous")
async def test_a_killed_server_is_unavailable_until_it_is_back(make: Make) -> None:
    with servers.private("redis") as server:
        async with connected(make, server.url) as client:
            cache = RedisCache(client)
            await cache.increment("counter", ttl=MINUTE)
            server.kill()
            for name, operate in OPERATIONS.items():
                with pytest.raises(CacheUnavailable) as unavailable:
                    await operate(cache)
                assert unavailable.value.__cause__ is not None, name
                assert "key" not in str(unavailable.value), name
            server.start()
            assert await cache.increment("counter", ttl=MINUTE) == 1
            for operate in OPERATIONS.values():
                await operate(cache)


@with_clients("blocking-cluster", "asynchronous-cluster")
async def test_a_killed_master_is_unavailable_until_it_is_back(make: Make) -> None:
    with servers.private("redis-cluster") as cluster:
        async with connected(make, cluster.url) as client:
            cache = RedisCache(client)
            await cache.increment_many(KEYS, ttl=MINUTE)
            cluster.kill_master(1)
            with pytest.raises(CacheUnavailable):
                await cache.get_many(KEYS)
            with pytest.raises(CacheUnavailable):
                await cache.increment_many(KEYS, ttl=MINUTE)
            cluster.kill()
            with pytest.raises(CacheUnavailable):
                await cache.get("key")
            cluster.start()
            for key in KEYS:
                await cache.set(key, "1", ttl=MINUTE)
            assert await cache.increment_many(KEYS, ttl=MINUTE) == [2] * len(KEYS)
            for operate in OPERATIONS.values():
                await operate(cache)


@pytest.mark.parametrize("retries", [0, 1])
async def test_the_effect_of_a_lost_reply_depends_on_the_clients_retry(retries: int) -> None:
    """With retries, an executed command runs twice, which errs on the safe side; without, its outcome is unknown."""
    with servers.prefix() as prefix:
        retry = {"retry": AsyncRetry(NoBackoff(), retries), "retry_on_error": [ConnectionError] * retries}
        async with losing_replies(prefix) as (url, lose), connected(AsyncRedis, url, **retry) as client:
            cache = RedisCache(client, prefix=prefix)
            await cache.set("popped", "value", ttl=MINUTE)
            await cache.set("deleted", "value", ttl=MINUTE)
            await cache.increment("counter", ttl=MINUTE)
            for call, repeated in (
                (cache.increment("counter", ttl=MINUTE), 3),
                (cache.pop("popped"), None),
                (cache.add("added", "value", ttl=MINUTE), False),
                (cache.delete("deleted"), False),
                (cache.set("set", "value", ttl=MINUTE), None),
            ):
                lose.set()
                if retries:
                    assert await call == repeated
                else:
                    with pytest.raises(CacheUnavailable):
                        await call
            done = ["3" if retries else "2", None, "value", None, "value"]
            assert await cache.get_many(["counter", "popped", "added", "deleted", "set"]) == done


@asynccontextmanager
async def losing_replies(prefix: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Lend a proxy's URL, and an event; when it is set, the proxy closes the connection in place of one reply."""
    lose = asyncio.Event()
    server = urlsplit(servers.url("redis"))

    async def serve(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        redis, to_redis = await asyncio.open_connection(server.hostname, server.port or 6379)
        while request := await client.read(65_536):
            to_redis.write(request)
            reply = await redis.read(65_536)
            if lose.is_set() and prefix.encode() in request:
                lose.clear()
                break
            to_client.write(reply)
        for writer in (to_client, to_redis):
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        yield f"redis://127.0.0.1:{port}/0", lose
