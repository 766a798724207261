"""The Redis cache keeps the contract: on one server and on a cluster, in both colours, decoding or not."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from functools import cached_property
from typing import ClassVar

from redis import Redis, RedisCluster
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio import RedisCluster as AsyncRedisCluster

import servers
from authx_adapters.redis import RedisCache
from authx_adapters.redis.server import Client
from authx_core.contract import CacheContract, SteppedClock, never_suspends
from authx_core.ports import Cache

SLOW = 100_000
"""A millisecond of a clause's time is 100 seconds of the server's, so that none passes by itself."""
REWIND = """
local deadline = redis.call('PEXPIRETIME', KEYS[1])
if deadline >= 0 then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', deadline - ARGV[1])) end
"""


class SlowCache(RedisCache):
    """A cache whose lifetimes pass slowly."""

    def _milliseconds(self, ttl: timedelta) -> int:
        return SLOW * super()._milliseconds(ttl)


class _On(CacheContract):
    kind: ClassVar[servers.spaces.RedisKind] = "redis"
    client: ClassVar[type[Client]] = Redis
    decodes: ClassVar[bool] = False

    @cached_property
    def stack(self) -> ExitStack:
        return ExitStack()

    @cached_property
    def prefix(self) -> str:
        return self.stack.enter_context(servers.prefix(self.kind))

    @cached_property
    def admin(self) -> Redis | RedisCluster:
        make: type[Redis | RedisCluster] = RedisCluster if self.kind == "redis-cluster" else Redis
        admin: Redis | RedisCluster = make.from_url(servers.url(self.kind))
        self.stack.enter_context(admin)
        return admin

    @cached_property
    def clients(self) -> list[Client]:
        return []

    async def open(self, _: SteppedClock, /) -> Cache:
        client = self.client.from_url(servers.url(self.kind), decode_responses=self.decodes)
        self.clients.append(client)
        cache = SlowCache(client, prefix=self.prefix)
        return never_suspends(cache) if isinstance(client, Redis | RedisCluster) else cache

    async def elapse(self, by: timedelta) -> None:
        milliseconds = SLOW * (by // timedelta(milliseconds=1))
        for key in set(self.admin.scan_iter(match=f"{self.prefix}*", count=1000)):
            self.admin.eval(REWIND, 1, key, milliseconds)

    async def close(self) -> None:
        for client in self.clients:
            if isinstance(client, AsyncRedis | AsyncRedisCluster):
                await client.aclose()
            else:
                client.close()
        self.stack.close()


class TestBlockingRedis(_On):
    """On threads."""


class TestAsyncRedis(_On):
    client = AsyncRedis
    decodes = True


class TestBlockingRedisCluster(_On):
    """On threads."""

    kind = "redis-cluster"
    client = RedisCluster
    decodes = True


class TestAsyncRedisCluster(_On):
    kind = "redis-cluster"
    client = AsyncRedisCluster
