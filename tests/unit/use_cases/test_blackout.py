"""Concurrent blackouts and their events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_adapters.passlib import PasslibHasher
from authx_core import BlackoutLifted, BlackoutSet, Event, InvalidValue, UsersRepo

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
LATER = NOON + timedelta(microseconds=1)


class Delayed(MemoryUserStore):
    """A store that runs another call before it returns the next answer."""

    calls = 0

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        self.calls += 1
        standing = await super().set_blackout(cutoff)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return standing

    async def get_blackout(self) -> datetime | None:
        self.calls += 1
        return await super().get_blackout()


@pytest.fixture
def store() -> Delayed:
    return Delayed()


@pytest.fixture
def users(store: Delayed, clock: ManualClock, hasher: PasslibHasher, published: list[Event]) -> UsersRepo:
    return UsersRepo(store, MemoryCache(clock), [published.append], clock=clock, hasher=hasher)


async def test_setting_a_blackout_takes_one_call_to_the_store(users: UsersRepo, store: Delayed) -> None:
    assert await users.set_blackout(LATER) == LATER
    assert await users.set_blackout(NOON) == LATER
    assert store.calls == 2


async def test_a_cut_off_before_that_of_another_process_is_not_published(
    users: UsersRepo, store: Delayed, published: list[Event]
) -> None:
    await MemoryUserStore.set_blackout(store, LATER)
    assert await users.set_blackout(NOON) == LATER
    assert published == []


async def test_an_earlier_cut_off_is_not_published_after_a_later_one(
    users: UsersRepo, store: Delayed, published: list[Event]
) -> None:
    store.meanwhile = lambda: users.set_blackout(LATER)
    assert await users.set_blackout(NOON) == NOON
    assert published == [BlackoutSet(cutoff=LATER)]


async def test_a_later_cut_off_is_published_again_after_a_slow_receiver_of_an_earlier_one(
    store: Delayed, clock: ManualClock, hasher: PasslibHasher
) -> None:
    received: list[datetime] = []

    async def slow(event: Event) -> None:
        assert isinstance(event, BlackoutSet)
        if event.cutoff == NOON:
            await repo.set_blackout(LATER)
        received.append(event.cutoff)

    repo = UsersRepo(store, MemoryCache(clock), [slow], clock=clock, hasher=hasher)
    await repo.set_blackout(NOON)
    assert received == [LATER, NOON, LATER]


async def test_a_cut_off_is_published_again_after_the_blackout_was_lifted(
    users: UsersRepo, store: Delayed, published: list[Event]
) -> None:
    await users.set_blackout(LATER)
    await users.delete_blackout()
    await users.set_blackout(LATER)
    await MemoryUserStore.set_blackout(store, None)  # by another process
    await users.set_blackout(NOON)
    assert published == [
        BlackoutSet(cutoff=LATER),
        BlackoutLifted(),
        BlackoutSet(cutoff=LATER),
        BlackoutSet(cutoff=NOON),
    ]


async def test_a_cut_off_more_than_a_day_ahead_is_refused(store: Delayed, users: UsersRepo, clock: ManualClock) -> None:
    ahead = clock.now() + timedelta(days=1, microseconds=1)
    for cutoff in (ahead, datetime(2125, 1, 1, tzinfo=timezone.utc)):
        with pytest.raises(InvalidValue, match="cutoff: is more than a day ahead"):
            await users.set_blackout(cutoff)
    assert await store.get_blackout() is None
    assert await users.set_blackout(ahead - timedelta(microseconds=1))
