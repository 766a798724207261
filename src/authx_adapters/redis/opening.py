"""``redis://`` and its kin: a server, a socket, a cluster, or a master that sentinels name."""

from __future__ import annotations

from authx_adapters.common.opening import Opening
from authx_adapters.redis.cache import RedisCache
from authx_adapters.redis.clients import open_client
from authx_core.domain.secret import Secret


class Opener:
    """Opens a cache on Redis, which keeps no users."""

    def __init__(self, url: Secret, field: str, opening: Opening) -> None:
        self._url, self._field, self._opening = url, field, opening

    async def cache(self, within: float) -> RedisCache:
        """Return the cache; its client's own timeouts keep to the limit too."""
        opened = open_client(self._url, self._field, within, blocking=self._opening.blocking)
        for close in opened.closing:
            self._opening.close_at_the_end(close)
        return RedisCache(opened.client, timeout=within, **opened.options)
