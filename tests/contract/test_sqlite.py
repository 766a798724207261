"""The SQLAlchemy store keeps the contract on SQLite: blocking, behind threads, and on aiosqlite."""

from __future__ import annotations

from pathlib import Path
from tempfile import gettempdir

from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from authx_adapters.sqlalchemy import SQLAlchemyUserStore
from authx_adapters.threaded import Threaded
from authx_core.contract import Capabilities, Harness, SteppedClock, contract_tests, never_suspends
from authx_core.ports import UserStore


class OnFile(Harness):
    """Each handle is a store on an engine of its own, over the file of a namespace."""

    capabilities = Capabilities(backend="embedded", namespaced=True, processes=True)

    def __init__(self) -> None:
        self.engines: list[Engine | AsyncEngine] = []

    @property
    def path(self) -> Path:
        return Path(gettempdir(), f"{self.namespace}.db")

    def engine(self) -> Engine | AsyncEngine:
        return create_engine(f"sqlite:///{self.path}")

    async def store(self) -> SQLAlchemyUserStore:
        self.engines.append(self.engine())
        store = SQLAlchemyUserStore(self.engines[-1])
        await store.create_schema()
        return store

    async def reset(self) -> None:
        await self.close()
        self.path.unlink(missing_ok=True)

    async def close(self) -> None:
        while self.engines:
            engine = self.engines.pop()
            if isinstance(engine, AsyncEngine):
                await engine.dispose()
            else:
                engine.dispose()


class BlockingSQLite(OnFile):
    """On the standard library's driver."""

    name = "sqlite-blocking"

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        return never_suspends(await self.store())


class ThreadedSQLite(OnFile):
    """The same for an event loop."""

    name = "sqlite-threaded"

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        return Threaded(await self.store())


class AsyncSQLite(OnFile):
    """On aiosqlite."""

    name = "sqlite-async"

    def engine(self) -> AsyncEngine:
        return create_async_engine(f"sqlite+aiosqlite:///{self.path}")

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        return await self.store()


TestBlockingSQLite = contract_tests(BlockingSQLite)
TestThreadedSQLite = contract_tests(ThreadedSQLite)
TestAsyncSQLite = contract_tests(AsyncSQLite)
