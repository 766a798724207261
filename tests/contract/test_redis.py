"""The Redis cache keeps the contract: on one server and on a cluster, blocking and asynchronous, decoding or not."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from redis import Redis, RedisCluster
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio import RedisCluster as AsyncRedisCluster

import servers
from authx_adapters.redis import RedisCache
from authx_adapters.redis.server import Client
from authx_contract import Capabilities, Harness, SteppedClock, contract_tests, never_suspends
from authx_core.ports import Cache
from servers.redis import delete_prefix
from servers.spaces import RedisKind

REWIND = """
local deadline = redis.call('PEXPIRETIME', KEYS[1])
if deadline >= 0 then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', deadline - ARGV[1])) end
"""


class BlockingRedis(Harness):
    """Each handle has its own client, under the prefix of a namespace."""

    name = "redis"
    capabilities = Capabilities(clock="server", namespaced=True, processes=True)
    kind: ClassVar[RedisKind] = "redis"
    client: ClassVar[type[Client]] = Redis
    decodes: ClassVar[bool] = False

    def __init__(self) -> None:
        self.clients: list[Client] = []

    @property
    def url(self) -> str:
        return servers.url(self.kind)

    @property
    def prefix(self) -> str:
        return f"{self.namespace}."

    async def open_cache(self, _: SteppedClock, /) -> Cache:
        client = self.client.from_url(self.url, decode_responses=self.decodes)
        self.clients.append(client)
        cache = RedisCache(client, prefix=self.prefix)
        return never_suspends(cache) if isinstance(client, Redis | RedisCluster) else cache

    def admin(self) -> Redis | RedisCluster:
        """Return a client for the harness itself."""
        make: type[Redis | RedisCluster] = RedisCluster if self.kind == "redis-cluster" else Redis
        return make.from_url(self.url)

    async def rewind(self, by: timedelta, /) -> None:
        with self.admin() as admin:
            for key in set(admin.scan_iter(match=f"{self.prefix}*", count=1000)):
                admin.eval(REWIND, 1, key, by // timedelta(milliseconds=1))
            _close_pools(admin)

    async def stored(self) -> int:
        with self.admin() as admin:
            count = len(set(admin.scan_iter(match=f"{self.prefix}*", count=1000)))
            _close_pools(admin)
            return count

    async def reset(self) -> None:
        await self.close()
        delete_prefix(self.url, self.prefix, cluster=self.kind == "redis-cluster")

    async def close(self) -> None:
        while self.clients:
            client = self.clients.pop()
            if isinstance(client, AsyncRedis | AsyncRedisCluster):
                await client.aclose()
            else:
                client.close()
                _close_pools(client)


class AsyncOnRedis(BlockingRedis):
    """For an event loop, decoding replies."""

    name = "redis-async"
    client = AsyncRedis
    decodes = True


class BlockingRedisCluster(BlockingRedis):
    """Three masters, decoding replies."""

    name = "redis-cluster"
    kind = "redis-cluster"
    client: ClassVar[type[Client]] = RedisCluster
    decodes = True


class AsyncOnRedisCluster(BlockingRedisCluster):
    """The same for an event loop."""

    name = "redis-cluster-async"
    client = AsyncRedisCluster
    decodes = False


def _close_pools(client: object) -> None:
    """Close the pools that a cluster's client, made from a URL, leaves open."""
    if isinstance(client, RedisCluster):
        client.disconnect_connection_pools()  # type: ignore[no-untyped-call] # redis-py's


TestRedis = contract_tests(BlockingRedis)
TestAsyncRedis = contract_tests(AsyncOnRedis)
TestRedisCluster = contract_tests(BlockingRedisCluster)
TestAsyncRedisCluster = contract_tests(AsyncOnRedisCluster)
