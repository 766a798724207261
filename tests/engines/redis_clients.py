"""Clients of redis-py, and the commands that servers received from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, TypeAlias

import pytest
from redis import Redis, RedisCluster
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio import RedisCluster as AsyncRedisCluster

import servers
from authx_adapters.common.settle import settle
from authx_adapters.redis.server import Client
from authx_core.ports import Cache

MINUTE: Final = timedelta(minutes=1)
KEYS: Final = [f"key {number}" for number in range(30)]
"""Keys in many slots, on all nodes of a cluster."""

Make: TypeAlias = type[Redis] | type[AsyncRedis] | type[RedisCluster] | type[AsyncRedisCluster]
Call: TypeAlias = Callable[[Cache], Awaitable[object]]

CLIENTS: Final[dict[str, Make]] = {
    "blocking": Redis,
    "asynchronous": AsyncRedis,
    "blocking-cluster": RedisCluster,
    "asynchronous-cluster": AsyncRedisCluster,
}


def with_clients(*names: str) -> pytest.MarkDecorator:
    """Run a test with each of these clients."""
    return pytest.mark.parametrize("make", [CLIENTS[name] for name in names], ids=names)


every_client = with_clients(*CLIENTS)

OPERATIONS: Final[dict[str, Call]] = {
    "get": lambda cache: cache.get(KEYS[0]),
    "get_many": lambda cache: cache.get_many(KEYS),
    "set": lambda cache: cache.set("set", "value", ttl=MINUTE),
    "add": lambda cache: cache.add("added", "value", ttl=MINUTE),
    "pop": lambda cache: cache.pop("popped"),
    "delete": lambda cache: cache.delete("deleted"),
    "increment": lambda cache: cache.increment("counter", ttl=MINUTE),
    "increment_many": lambda cache: cache.increment_many([f"counter {key}" for key in KEYS], ttl=MINUTE),
}


def kind(make: Make) -> servers.spaces.RedisKind:
    """Return the kind of server that a client needs."""
    return "redis-cluster" if issubclass(make, RedisCluster | AsyncRedisCluster) else "redis"


@asynccontextmanager
async def connected(make: Make, url: str | None = None, **options: Any) -> AsyncIterator[Client]:
    """Lend a client of the shared server, or of the one at `url`."""
    client: Client = make.from_url(url or servers.url(kind(make)), **options)
    try:
        yield client
    finally:
        await settle(client.aclose() if isinstance(client, AsyncRedis | AsyncRedisCluster) else client.close())


async def traffic(call: Awaitable[object], *admins: Redis) -> tuple[int, dict[str, int]]:
    """Await a call; return the number of requests to servers, and of each command that they ran, in scripts too."""
    for admin in admins:
        admin.config_resetstat()
    await call
    requests = sum(admin.info("stats")["total_reads_processed"] - 1 for admin in admins)
    commands: Counter[str] = Counter()
    for admin in admins:
        for name, stats in admin.info("commandstats").items():
            commands[name.removeprefix("cmdstat_")] += stats["calls"]
    return requests, {name: count for name, count in commands.items() if name not in {"info", "config|resetstat"}}
