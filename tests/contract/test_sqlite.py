"""The SQLAlchemy adapters keep the contract on SQLite: blocking, on threads, and through aiosqlite."""

from __future__ import annotations

from pathlib import Path
from tempfile import gettempdir

from authx_adapters.threaded import Threaded
from authx_contract import Capabilities, SteppedClock, contract_tests
from authx_core.ports import Cache, UserStore
from contract.sql import SQL

TIMEOUT = 60
"""Seconds that a call may take on a busy machine."""


class BlockingSQLite(SQL):
    """On the standard library's driver."""

    name = "sqlite-blocking"
    capabilities = Capabilities(backend="embedded", namespaced=True, processes=True)

    @property
    def path(self) -> Path:
        return Path(gettempdir(), f"{self.namespace}.db")

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    async def reset(self) -> None:
        await self.close()
        self.path.unlink(missing_ok=True)


class ThreadedSQLite(BlockingSQLite):
    """The same for an event loop."""

    name = "sqlite-threaded"

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        return Threaded(await self.store(), timeout=TIMEOUT)

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        return Threaded(await self.entries(clock), timeout=TIMEOUT)


class AsyncSQLite(BlockingSQLite):
    """On aiosqlite."""

    name = "sqlite-async"
    asynchronous = True

    @property
    def url(self) -> str:
        return f"sqlite+aiosqlite:///{self.path}"


TestBlockingSQLite = contract_tests(BlockingSQLite)
TestThreadedSQLite = contract_tests(ThreadedSQLite)
TestAsyncSQLite = contract_tests(AsyncSQLite)
