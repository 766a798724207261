"""The SQLAlchemy store keeps the contract on SQLite: blocking, asynchronous and behind threads."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from authx_adapters.sqlalchemy import SQLAlchemyUserStore
from authx_adapters.threaded import Threaded
from authx_core.contract import UserStoreContract, never_suspends
from authx_core.ports import UserStore


class _OnFile(UserStoreContract):
    """Each handle is a store on an engine of its own, over one file."""

    @cached_property
    def folder(self) -> TemporaryDirectory[str]:
        """Where the file of this clause is."""
        return TemporaryDirectory()

    @cached_property
    def engines(self) -> list[Engine | AsyncEngine]:
        """What was opened."""
        return []

    def engine(self) -> Engine | AsyncEngine:
        """Make an engine."""
        return create_engine(f"sqlite:///{self.path}")

    @property
    def path(self) -> Path:
        """The file of this clause."""
        return Path(self.folder.name, "users.db")

    async def store(self) -> SQLAlchemyUserStore:
        """Make a store on an engine of its own."""
        engine = self.engine()
        self.engines.append(engine)
        store = SQLAlchemyUserStore(engine)
        await store.create_schema()
        return store

    async def open(self) -> UserStore:
        return await self.store()

    async def close(self) -> None:
        for engine in self.engines:
            if isinstance(engine, AsyncEngine):
                await engine.dispose()
            else:
                engine.dispose()
        self.folder.cleanup()


class TestBlockingSQLite(_OnFile):
    """On the standard library's driver."""

    async def open(self) -> UserStore:
        return never_suspends(await self.store())


class TestThreadedSQLite(_OnFile):
    """The same for an event loop."""

    async def open(self) -> UserStore:
        return Threaded(await self.store())


class TestAsyncSQLite(_OnFile):
    """On aiosqlite."""

    def engine(self) -> AsyncEngine:
        return create_async_engine(f"sqlite+aiosqlite:///{self.path}")
