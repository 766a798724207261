"""U-055 detects a server that skips users to reach a page, and tolerates disturbances."""

from __future__ import annotations

import threading
import time

from authx_adapters.memory import MemoryUserStore
from authx_contract import Capabilities, run_clause
from authx_contract.registry import find
from authx_contract.verdict.outcome import Outcome, Status
from authx_core.domain import StoreUnavailable, User, UserId, UserQuery
from unit.contract.harnesses import Honest

CALL, SKIPPED = 100e-6, 200e-6
"""Seconds that a server needs for a call, and for skipping all users."""
SERIES = 100 * 3
"""Searches in a series: a hundred rounds of three pages."""


def work(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


class Works(MemoryUserStore):
    """A server that is busy for a while in each search."""

    def __init__(self) -> None:
        super().__init__()
        self.searches = 0

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        page = await super().search(query, limit=limit, after=after, offset=offset)
        last = not await super().search(query, limit=1, after=page[-1].id)
        work(CALL + (SKIPPED if last and self.skips() else 0))
        self.searches += 1
        return page

    def skips(self) -> bool:
        return False


class Skips(Works):
    def skips(self) -> bool:
        return True


class IsDisturbed(Works):
    """A server that is disturbed during two series, always at the last page."""

    def skips(self) -> bool:
        return self.searches <= 2 * SERIES


class RecordsItsCallers(Works):
    callers: set[int]

    async def create(self, user: User, /) -> User:
        self.callers.add(threading.get_ident())
        work(100e-6)  # so that all callers start before one ends
        return await super().create(user)


class IsFull(Works):
    async def create(self, user: User, /) -> User:
        if await self.count(UserQuery()) >= 1_000:
            raise StoreUnavailable("the disk is full")
        return await super().create(user)


def examined(store: type[MemoryUserStore]) -> Outcome:
    class OnServer(Honest):
        capabilities = Capabilities(shared_handle=True)

        async def reset(self) -> None:
            self.users = store()

    (clause,) = find(["U-055"])
    return run_clause(OnServer, clause)


def test_skipping_on_the_server_is_detected() -> None:
    assert "the last page of 2000 users costs more than those at the start" in examined(Skips).observed


def test_a_server_whose_pages_cost_the_same_is_not_accused() -> None:
    assert examined(Works).status is Status.PASSED


def test_a_server_that_is_disturbed_for_a_while_is_not_accused() -> None:
    assert examined(IsDisturbed).status is Status.PASSED


def test_users_are_created_through_all_handles_at_once() -> None:
    RecordsItsCallers.callers = set()
    assert examined(RecordsItsCallers).status is Status.PASSED
    assert len(RecordsItsCallers.callers) == 4


def test_an_error_of_create_is_reported_itself() -> None:
    """Not as an exception group."""
    assert (
        "StoreUnavailable was raised where no error is expected: store unavailable: the disk is full"
        in examined(IsFull).observed
    )
