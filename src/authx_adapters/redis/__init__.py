"""A cache and events on Redis 6.2 or later, or Valkey: one server or a cluster, blocking or asynchronous."""

from authx_adapters.redis.cache import RedisCache
from authx_adapters.redis.events import RedisEvents

__all__ = ["RedisCache", "RedisEvents"]
