"""Blocking ports behind an event loop: bounded, cancellation-safe, and never in the loop's way."""

from __future__ import annotations

import asyncio
from threading import Event, get_ident

import pytest

from authx_adapters.threaded import Threaded
from authx_core import Overloaded, PasswordHasher, Suspended, Verification, run


class Held(PasswordHasher):
    """A hasher that hashes when it is let."""

    def __init__(self) -> None:
        self.free, self.begun, self.threads = Event(), 0, set[int]()

    async def hash(self, password: str, /) -> str:
        self.begun += 1
        self.threads.add(get_ident())
        self.free.wait(10)
        return password[::-1]

    async def verify(self, password: str, password_hash: str, /) -> Verification:
        return Verification(ok=password[::-1] == password_hash)


async def begun(held: Held, count: int) -> None:
    while held.begun < count:  # noqa: ASYNC110 - it is begun in a thread
        await asyncio.sleep(0)


async def test_calls_beyond_the_queue_are_refused_and_the_others_finish_off_the_loop() -> None:
    held = Held()
    hasher = Threaded(held, workers=2, queue=3)
    calls = [asyncio.create_task(hasher.hash(f"password {number}")) for number in range(5)]
    await begun(held, 2)
    with pytest.raises(Overloaded):
        await hasher.hash("one more")
    held.free.set()
    assert await asyncio.gather(*calls) == [f"password {number}"[::-1] for number in range(5)]
    assert get_ident() not in held.threads
    assert await hasher.hash("again") == "niaga"


async def test_a_cancelled_call_that_waits_is_never_begun_and_gives_its_place_back() -> None:
    held = Held()
    hasher = Threaded(held, workers=1, queue=1)
    running, waiting = (asyncio.create_task(hasher.hash(text)) for text in ("running", "waiting"))
    await begun(held, 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    another = asyncio.create_task(hasher.hash("another"))
    await asyncio.sleep(0)
    held.free.set()
    assert [await running, await another] == ["gninnur", "rehtona"]
    assert held.begun == 2


async def test_a_cancelled_call_that_runs_ends_in_its_thread_and_the_hasher_stays_usable() -> None:
    held = Held()
    hasher = Threaded(held, workers=1, queue=0)
    running = asyncio.create_task(hasher.hash("running"))
    await begun(held, 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(Overloaded):
        await hasher.hash("while the thread is busy")
    held.free.set()
    while True:
        try:
            assert await hasher.hash("free") == "eerf"
        except Overloaded:
            await asyncio.sleep(0.001)
        else:
            break


def test_without_an_event_loop_it_says_so_in_one_sentence() -> None:
    with pytest.raises(Suspended, match="blocking facade"):
        run(Threaded(Held()).hash("password"))
