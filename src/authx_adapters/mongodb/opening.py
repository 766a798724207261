"""``mongodb://`` and ``mongodb+srv://``."""

from __future__ import annotations

from typing import Any, Final

from authx_adapters.common.opening import Opening
from authx_adapters.mongodb.cache import MongoCache
from authx_adapters.mongodb.clients import open_client
from authx_adapters.mongodb.store import MongoUserStore
from authx_core.domain.secret import Secret

_DATABASE: Final = "authx"
"""For a URL that names none."""


class Opener:
    """Opens users and entries in one database of MongoDB."""

    def __init__(self, url: Secret, field: str, opening: Opening) -> None:
        client = open_client(url, field, opening.timeout, blocking=opening.blocking)
        opening.close_at_the_end(client.close)
        self._database: Any = client.get_default_database(_DATABASE)
        self._opening = opening

    async def store(self, within: float) -> MongoUserStore:
        """Return the store, once its indexes are made and verified."""
        await _prepare(MongoUserStore(self._database, timeout=self._opening.timeout))
        return MongoUserStore(self._database, timeout=within)

    async def cache(self, within: float) -> MongoCache:
        """Return the cache, once its index is made and verified."""
        await _prepare(MongoCache(self._database, self._opening.clock, timeout=self._opening.timeout))
        return MongoCache(self._database, self._opening.clock, timeout=within)


async def _prepare(adapter: MongoUserStore | MongoCache) -> None:
    await adapter.ensure_indexes()
    await adapter.verify_schema()
