"""Callers of a blocking adapter race in threads, whether or not its author wraps it in `never_suspends`."""

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


class BoundToOneThread(MemoryCache):
    """A cache whose `delete` uses a connection that is bound to the thread that opened it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._db = sqlite3.connect(":memory:")

    async def delete(self, key: str, /) -> bool:
        self._db.execute("SELECT 1")
        return await super().delete(key)


class Kept(Harness):
    """A harness that always opens one object, and declares it embedded."""

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


def test_a_blocking_adapter_races_in_threads() -> None:
    assert raced(Kept).status is Status.FAILED
    assert raced(Kept, kind=MemoryCache).status is Status.PASSED


def test_an_adapter_that_holds_a_connection_races_in_threads_too() -> None:
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
def test_an_adapter_that_only_never_suspends_may_belong_to_one_loop(backend: Literal["memory", "server"]) -> None:
    capabilities = Capabilities(backend=backend, shared_handle=True)
    assert raced(Kept, capabilities=capabilities).status is Status.PASSED


def test_an_adapter_that_is_bound_to_one_thread_cannot_race() -> None:
    outcome = raced(Kept, kind=BoundToOneThread)
    assert outcome.status is Status.SKIPPED
    assert "SQLite objects created in a thread can only be used in that same thread" in outcome.reason
