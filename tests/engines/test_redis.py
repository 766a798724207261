"""Details of the Redis cache that the contract does not cover: commands, scripts, keys and foreign data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, Final

import pytest
from redis import Redis, RedisCluster
from redis.asyncio import RedisCluster as AsyncRedisCluster
from redis.cache import CacheConfig
from redis.crc import key_slot

import servers
from authx_adapters.common.settle import settle
from authx_adapters.redis import RedisCache
from authx_core.domain import CacheUnavailable, InvalidValue
from engines.redis_clients import KEYS, MINUTE, OPERATIONS, Make, connected, every_client, kind, traffic, with_clients

NODES: Final = 3
LOWEST: Final = -(2**63) + 1
COMMANDS: Final[dict[str, dict[str, int]]] = {
    "get": {"mget": 1},
    "set": {"set": 1},
    "add": {"set": 1},
    "pop": {"getdel": 1},
    "delete": {"del": 1},
    "increment": {"evalsha": 1, "get": 2, "incrby": 1},
}
"""The commands that each call runs on the server; GET and INCRBY run in the script."""


@pytest.fixture(scope="module")
def private_servers() -> Iterator[dict[str, list[Redis]]]:
    with ExitStack() as stack:
        one = stack.enter_context(servers.private("redis"))
        cluster = stack.enter_context(servers.private("redis-cluster"))
        yield {
            "redis": [stack.enter_context(Redis.from_url(one.url))],
            "redis-cluster": [stack.enter_context(Redis.from_url(member.url)) for member in cluster.members],
        }


@pytest.fixture
def admins(make: Make, private_servers: dict[str, list[Redis]]) -> list[Redis]:
    """Return a client of the server that `make` needs, or of each node."""
    clients = private_servers[kind(make)]
    for client in clients:
        client.flushall()
        client.script_flush()
    return clients


def url(admin: Redis) -> str:
    return f"redis://127.0.0.1:{admin.get_connection_kwargs()['port']}"


async def warm(cache: RedisCache) -> None:
    """Open every connection and load every script."""
    await cache.get_many(KEYS)
    await cache.increment_many([*KEYS, "counter"], ttl=MINUTE)


@every_client
async def test_each_call_is_one_command_that_carries_its_lifetime(make: Make, admins: list[Redis]) -> None:
    """No call runs EXPIRE, KEYS or SCAN."""
    async with connected(make, url(admins[0])) as client:
        cache = RedisCache(client)
        await warm(cache)
        for name, expected in COMMANDS.items():
            assert await traffic(OPERATIONS[name](cache), *admins) == (1, expected), name
        assert await traffic(cache.increment("new", ttl=MINUTE), *admins) == (1, {"evalsha": 1, "get": 2, "set": 1})


@every_client
async def test_a_call_with_several_keys_is_one_request_to_each_node(make: Make, admins: list[Redis]) -> None:
    async with connected(make, url(admins[0])) as client:
        cache = RedisCache(client)
        await warm(cache)
        nodes = len(admins)
        slots = len({key_slot(f"authx:|{key}".encode()) for key in KEYS}) if nodes == NODES else 1
        assert await traffic(cache.get_many(KEYS), *admins) == (nodes, {"mget": slots})
        counted = await traffic(cache.increment_many(KEYS, ttl=MINUTE), *admins)
        assert counted == (nodes, {"evalsha": slots, "get": 2 * len(KEYS), "incrby": len(KEYS)})
        assert await traffic(cache.get_many([]), *admins) == (0, {})


@with_clients("blocking-cluster", "asynchronous-cluster")
async def test_a_hash_tag_in_the_prefix_keeps_all_keys_in_one_slot(make: Make, admins: list[Redis]) -> None:
    async with connected(make, url(admins[0])) as client:
        cache = RedisCache(client, prefix="{authx}:")
        await warm(cache)
        assert await traffic(cache.get_many(KEYS), *admins) == (1, {"mget": 1})


@every_client
async def test_the_first_calls_may_be_concurrent(make: Make) -> None:
    """Otherwise the asynchronous cluster client would send them to any node, be redirected, and reconnect meanwhile."""
    with servers.prefix(kind(make)) as mine:
        async with connected(make) as client:
            cache = RedisCache(client, prefix=mine)
            await asyncio.gather(*(cache.set(key, "value", ttl=MINUTE) for key in KEYS))
            assert await cache.get_many(KEYS) == ["value"] * len(KEYS)


@every_client
async def test_a_script_that_the_server_forgot_is_loaded_again(make: Make, admins: list[Redis]) -> None:
    async with connected(make, url(admins[0])) as client:
        cache = RedisCache(client)
        for count in range(1, 4):
            assert await cache.increment_many([*KEYS, KEYS[0]], ttl=MINUTE) == [
                2 * count - 1, *[count] * (len(KEYS) - 1), 2 * count,
            ]  # fmt: skip
            for admin in admins:
                admin.script_flush()
        await cache.increment("counter", ttl=MINUTE)
        assert (await traffic(cache.increment("counter", ttl=MINUTE), *admins))[0] == 1


@every_client
async def test_lifetimes_are_kept_to_the_millisecond(make: Make, admins: list[Redis]) -> None:
    """The server's deadline is the lifetime after an instant during the call."""
    ttl = timedelta(days=3, milliseconds=7)
    async with connected(make, url(admins[0])) as client:
        cache = RedisCache(client)
        operations: dict[str, Callable[[str], Awaitable[object]]] = {
            "set": lambda key: cache.set(key, "value", ttl=ttl),
            "add": lambda key: cache.add(key, "value", ttl=ttl),
            "increment": lambda key: cache.increment(key, ttl=ttl),
        }
        for key, operate in operations.items():
            before = now(admins[0])
            await operate(key)
            deadline = await deadline_of(client, f"authx:|{key}")
            assert before <= deadline - ttl // timedelta(milliseconds=1) <= now(admins[0]), key


async def deadline_of(client: Any, name: str) -> int:
    return int(await settle(client.pexpiretime(name)))


def now(admin: Redis) -> int:
    seconds, microseconds = admin.time()
    return seconds * 1000 + microseconds // 1000


@every_client
async def test_no_two_prefixes_ever_collide(make: Make) -> None:
    """C-006: with every combination in which prefix and key could be split differently."""
    prefixes = ("", "a", "a:", "a:b", "a|", "a|b", "a%7C", "a%7Cb", "a%", "{a", "{a}")
    rests = ("", ":", "b", ":b", "|", "||", "|b", "|b|", "%7C", "7C", "7C|", "}", "}|")
    with servers.prefix(kind(make)) as mine:
        async with connected(make) as client:
            caches = [RedisCache(client, prefix=mine + prefix) for prefix in prefixes]
            for cache, prefix in zip(caches, prefixes, strict=True):
                for rest in rests:
                    assert await cache.add(f"{rest}key", prefix, ttl=MINUTE), (prefix, rest)
            for cache, prefix in zip(caches, prefixes, strict=True):
                assert await cache.get_many([f"{rest}key" for rest in rests]) == [prefix] * len(rests)


@every_client
async def test_keys_begin_with_the_prefix_and_stay_readable(make: Make) -> None:
    """For ACL rules such as ``~shop:authx:*``, and for people."""
    with servers.prefix(kind(make)) as mine:
        async with connected(make) as client:
            await RedisCache(client, prefix=f"{mine}shop:authx:").set("login:é", "value", ttl=MINUTE)
            assert await settle(client.get(f"{mine}shop:authx:|login:é")) == b"value"


@every_client
async def test_replies_are_decoded_as_utf_8_whatever_the_clients_encoding(make: Make) -> None:
    with servers.prefix(kind(make)) as mine:
        for options in ({"decode_responses": True}, {"decode_responses": True, "encoding": "latin-1"}):
            async with connected(make, **options) as client:
                cache = RedisCache(client, prefix=mine)
                await cache.set("é😀", "é😀", ttl=MINUTE)
                assert await cache.get("é😀") == "é😀"
                assert await cache.increment("é", ttl=MINUTE) > 0
                assert await cache.pop("é😀") == "é😀"


@every_client
async def test_foreign_data_is_refused_and_unchanged(make: Make) -> None:
    with servers.prefix(kind(make)) as mine:
        async with connected(make) as client:
            cache = RedisCache(client, prefix=mine)
            await settle(client.lpush(f"{mine}|list", "item"))
            await settle(client.set(f"{mine}|bytes", b"\xff"))
            for call in (cache.pop("list"), cache.increment("list", ttl=MINUTE), cache.get("bytes")):
                with pytest.raises(InvalidValue, match="holds"):
                    await call
            assert await settle(client.llen(f"{mine}|list")) == 1


@every_client
async def test_a_counter_at_its_limit_keeps_its_value_and_lifetime(make: Make) -> None:
    with servers.prefix(kind(make)) as mine:
        async with connected(make) as client:
            cache = RedisCache(client, prefix=mine)
            assert await cache.increment("low", by=LOWEST, ttl=MINUTE) == LOWEST
            assert await cache.increment("high", by=-LOWEST, ttl=MINUTE) == -LOWEST
            await cache.set("beyond", str(LOWEST - 1), ttl=MINUTE)
            for key, by, value in (("low", -1, LOWEST), ("high", 1, -LOWEST), ("beyond", 1, LOWEST - 1)):
                before = await deadline_of(client, f"{mine}|{key}")
                with pytest.raises(InvalidValue, match="no room"):
                    await cache.increment(key, by=by, ttl=10 * MINUTE)
                assert await cache.get(key) == str(value)
                assert await deadline_of(client, f"{mine}|{key}") == before


@every_client
async def test_a_full_server_is_unavailable_and_nothing_changes(make: Make, admins: list[Redis]) -> None:
    async with connected(make, url(admins[0])) as client:
        cache = RedisCache(client)
        await cache.increment("counter", by=41, ttl=MINUTE)
        for admin in admins:
            admin.config_set("maxmemory", 1)
        try:
            for call in (
                cache.set("counter", "value", ttl=MINUTE),
                cache.add("new", "value", ttl=MINUTE),
                cache.increment("counter", ttl=MINUTE),
                cache.increment_many(["counter", "new"], ttl=MINUTE),
            ):
                with pytest.raises(CacheUnavailable, match="OutOfMemoryError"):
                    await call
        finally:
            for admin in admins:
                admin.config_set("maxmemory", 0)
        assert await cache.get_many(["counter", "new"]) == ["41", None]


async def test_clients_that_cache_or_read_from_replicas_are_refused() -> None:
    options: dict[str, Any] = {"protocol": 3, "cache_config": CacheConfig()}
    async with connected(Redis, **options) as caching:
        with pytest.raises(InvalidValue) as refused:
            RedisCache(caching, prefix="nul\0")
    assert [problem.field for problem in refused.value.problems] == ["client", "prefix"]
    strategy = load_balancing_strategy()
    for make in (RedisCluster, AsyncRedisCluster):
        async with connected(make, **strategy) as lagging:
            with pytest.raises(InvalidValue, match="replicas"):
                RedisCache(lagging)


def load_balancing_strategy() -> dict[str, Any]:
    """Return the option that this version of redis-py has: `read_from_replicas` before 5.3."""
    try:
        from redis.cluster import LoadBalancingStrategy  # noqa: PLC0415 - see above
    except ImportError:
        return {"read_from_replicas": True}
    return {"load_balancing_strategy": LoadBalancingStrategy.ROUND_ROBIN}
