"""Callers of an adapter that blocks meet on threads, whether or not its author says that it does."""

from __future__ import annotations

import sqlite3
from socket import socketpair
from typing import Any, Literal

import pytest

from authx_adapters.memory import MemoryCache
from authx_contract import Capabilities, Harness, Outcome, Status, SteppedClock, all_clauses, run_clause
from authx_core.ports import Cache, Clock

ONE_WINS = next(clause for clause in all_clauses() if clause.id == "C-021")


class ReadsThenDeletes(MemoryCache):
    async def pop(self, key: str, /) -> str | None:
        value = await self.get(key)
        await super().pop(key)
        return value


class OfOneThread(MemoryCache):
    """Each `delete` takes a connection that only the thread which opened the cache may use."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._db = sqlite3.connect(":memory:")

    async def delete(self, key: str, /) -> bool:
        self._db.execute("SELECT 1")
        return await super().delete(key)


class Kept(Harness):
    """One object, which says that it is on a file."""

    capabilities = Capabilities(backend="embedded", shared_handle=True)
    kind: type[MemoryCache] = ReadsThenDeletes

    def __init__(self) -> None:
        self.cache: Cache | None = None

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        self.cache = self.cache or self.kind(clock)
        return self.cache

    async def reset(self) -> None:
        self.cache = None


def raced(harness: type[Harness], **attributes: Any) -> Outcome:
    return run_clause(type("Kept", (harness,), attributes), ONE_WINS)


def test_what_blocks_races_on_threads() -> None:
    assert raced(Kept).status is Status.FAILED
    assert raced(Kept, kind=MemoryCache).status is Status.PASSED


def test_what_holds_a_connection_races_on_threads_too() -> None:
    class Connected(Kept):
        capabilities = Capabilities(shared_handle=True)

        def __init__(self) -> None:
            super().__init__()
            self.connections = socketpair()

        async def close(self) -> None:
            for each in self.connections:
                each.close()

    assert raced(Connected).status is Status.FAILED


@pytest.mark.parametrize("backend", ["memory", "server"])
def test_what_only_never_suspends_may_be_one_loop_s_own(backend: Literal["memory", "server"]) -> None:
    capabilities = Capabilities(backend=backend, shared_handle=True)
    assert raced(Kept, capabilities=capabilities).status is Status.PASSED


def test_what_only_one_thread_may_use_cannot_race() -> None:
    outcome = raced(Kept, kind=OfOneThread)
    assert outcome.status is Status.SKIPPED
    assert "SQLite objects created in a thread can only be used in that same thread" in outcome.reason
