"""``postgresql://``, ``mariadb://``, ``sqlite://`` and their other names."""

from __future__ import annotations

from typing import TypeVar

from authx_adapters.common.opening import Opening
from authx_adapters.sqlalchemy.cache import SQLAlchemyCache
from authx_adapters.sqlalchemy.engines import open_engine
from authx_adapters.sqlalchemy.store import SQLAlchemyUserStore
from authx_adapters.threaded import Threaded, ThreadedCache, ThreadedUserStore
from authx_core import Cache, UserStore
from authx_core.domain.secret import Secret

_T = TypeVar("_T", ThreadedUserStore, ThreadedCache)


class Opener:
    """Opens users and entries in one relational database."""

    def __init__(self, url: Secret, field: str, opening: Opening) -> None:
        opened = open_engine(url, field, opening.timeout, blocking=opening.blocking)
        opening.close_at_the_end(opened.engine.dispose)
        self._engine, self._in_threads = opened.engine, opened.in_threads
        self._opening = opening

    async def store(self, within: float) -> UserStore:
        """Return the store, once its tables are made and verified; in threads if its driver is blocking."""
        await _prepare(SQLAlchemyUserStore(self._engine, timeout=self._opening.timeout))
        store = SQLAlchemyUserStore(self._engine, timeout=within)
        return self._closed(Threaded(store, timeout=within)) if self._in_threads else store

    async def cache(self, within: float) -> Cache:
        """Return the cache, once its table is made and verified; in threads if its driver is blocking."""
        await _prepare(SQLAlchemyCache(self._engine, self._opening.clock, timeout=self._opening.timeout))
        cache = SQLAlchemyCache(self._engine, self._opening.clock, timeout=within)
        return self._closed(Threaded(cache, timeout=within)) if self._in_threads else cache

    def _closed(self, port: _T) -> _T:
        self._opening.close_at_the_end(port.aclose)
        return port


async def _prepare(adapter: SQLAlchemyUserStore | SQLAlchemyCache) -> None:
    await adapter.create_schema()
    await adapter.verify_schema()
