"""Blocking ports behind an event loop: bounded, cancellation-safe, and never in the loop's way."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from threading import Event, get_ident
from typing import Any

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_adapters.threaded import Threaded, ThreadedCache, ThreadedUserStore
from authx_core import (
    Cache,
    CacheUnavailable,
    InvalidValue,
    Overloaded,
    PasswordHasher,
    PortUnavailable,
    StoreUnavailable,
    Suspended,
    UserStore,
    Verification,
    run,
)


class Held(PasswordHasher):
    """A hasher that waits until the test sets `free`."""

    def __init__(self) -> None:
        self.free, self.begun, self.threads = Event(), 0, set[int]()

    async def hash(self, password: str, /) -> str:
        self.begun += 1
        self.threads.add(get_ident())
        self.free.wait(10)
        return password[::-1]

    async def verify(self, password: str, password_hash: str, /) -> Verification:
        return Verification(ok=password[::-1] == password_hash)


async def begun(held: Held | HeldUsers, count: int) -> None:
    while held.begun < count:  # noqa: ASYNC110 - a thread counts
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


async def test_a_queued_call_that_is_cancelled_never_starts_and_frees_its_place() -> None:
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


async def test_a_running_call_that_is_cancelled_ends_in_its_thread_and_the_hasher_stays_usable() -> None:
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


def test_a_call_without_an_event_loop_points_to_the_blocking_facade() -> None:
    with pytest.raises(Suspended, match="blocking facade"):
        run(Threaded(Held()).hash("password"))


class HeldUsers(MemoryUserStore):
    """A store whose writes wait until the test sets `free`."""

    def __init__(self) -> None:
        super().__init__()
        self.free, self.begun = Event(), 0

    async def delete(self, user_id: str, /) -> bool:
        self.begun += 1
        self.free.wait(30)
        return await super().delete(user_id)


class HeldCache(MemoryCache):
    """A cache whose deletions wait until the test sets `free`."""

    def __init__(self) -> None:
        super().__init__(ManualClock())
        self.free = Event()

    async def delete(self, key: str, /) -> bool:
        self.free.wait(30)
        return await super().delete(key)


async def test_a_timeout_is_the_error_of_the_port() -> None:
    store, cache, hasher = HeldUsers(), HeldCache(), Held()
    calls: list[tuple[Any, str, type[PortUnavailable]]] = [
        (Threaded(store, timeout=0.05).delete("ana"), "HeldUsers.delete", StoreUnavailable),
        (Threaded(cache, timeout=timedelta(milliseconds=50)).delete("ana"), "HeldCache.delete", CacheUnavailable),
        (Threaded(hasher, timeout=0.05).hash("password"), "Held.hash", Overloaded),
    ]
    for call, name, error in calls:
        with pytest.raises(error, match=rf"{name}: no thread has answered within 0\.05 seconds"):
            await call
    for held in (store, cache, hasher):
        held.free.set()


async def test_the_timeout_includes_the_wait_in_the_queue() -> None:
    held = Held()
    hasher = Threaded(held, workers=1, timeout=0.05)
    outcomes = await asyncio.gather(*(hasher.hash(str(number)) for number in range(5)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Overloaded}
    assert held.begun == 1, "a call that timed out in the queue never starts"
    held.free.set()


async def test_after_a_timeout_a_thread_stays_busy_until_its_call_ends() -> None:
    held = Held()
    hasher = Threaded(held, workers=1, queue=0, timeout=0.05)
    with pytest.raises(Overloaded, match="within"):
        await hasher.hash("running")
    with pytest.raises(Overloaded, match="full"):
        await hasher.hash("while the thread is busy")
    held.free.set()
    await until_free(hasher)


async def until_free(hasher: PasswordHasher) -> None:
    while True:
        try:
            await hasher.hash("free")
        except Overloaded:
            await asyncio.sleep(0.001)
        else:
            break


async def test_a_full_queue_is_the_error_of_the_port() -> None:
    held = HeldUsers()
    store = Threaded(held, workers=1, queue=0)
    running = asyncio.create_task(store.delete("ana"))
    await begun(held, 1)
    with pytest.raises(StoreUnavailable, match=r"HeldUsers\.delete: its queue is full, with 1 calls"):
        await store.delete("ben")
    held.free.set()
    assert not await running


async def test_reads_do_not_wait_behind_writes_that_are_blocked() -> None:
    held = HeldUsers()
    store = Threaded(held, workers=2)
    writes = [asyncio.create_task(store.delete(str(number))) for number in range(20)]
    await begun(held, 2)
    for _ in range(10):
        assert await store.get("ana") is None
        assert await store.get_blackout() is None
    assert not any(write.done() for write in writes)
    held.free.set()
    assert await asyncio.gather(*writes) == [False] * 20


async def test_closing_ends_the_threads_once_their_calls_have_ended() -> None:
    before = set(threading.enumerate())
    held = HeldUsers()
    store = Threaded(held, workers=2)
    calls = [asyncio.create_task(store.delete(str(number))) for number in range(4)]
    await begun(held, 2)
    closing = asyncio.create_task(store.aclose())
    await asyncio.sleep(0)
    held.free.set()
    await closing
    assert await asyncio.gather(*calls) == [False] * 4
    assert set(threading.enumerate()) <= before
    with pytest.raises(StoreUnavailable, match=r"HeldUsers\.get: its threads were closed"):
        await store.get("ana")
    await store.aclose()


async def test_closing_without_an_event_loop_ends_the_threads_too() -> None:
    before = set(threading.enumerate())
    store = Threaded(MemoryUserStore())
    assert await store.get("ana") is None
    assert not set(threading.enumerate()) <= before
    store.close()
    assert set(threading.enumerate()) <= before
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.get("ana")


async def test_closing_does_not_wait_for_a_thread_that_hangs() -> None:
    held = HeldUsers()
    store = Threaded(held, timeout=0.05)
    with pytest.raises(StoreUnavailable):
        await store.delete("ana")
    await store.aclose()
    held.free.set()


async def test_a_forked_child_has_threads_of_its_own() -> None:
    store: UserStore = Threaded(MemoryUserStore())
    assert await store.get("ana") is None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads, as here, warns
        child = os.fork()
    if not child:
        os._exit(exit_code_of_a_read(store))
    assert os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, child, 0))[1]) == 0


def exit_code_of_a_read(store: UserStore) -> int:
    """Return 0 if the store answers."""
    asyncio._set_running_loop(None)
    try:
        asyncio.run(asyncio.wait_for(store.get("ana"), 20))
    except BaseException:  # noqa: BLE001 - no error may escape in the child
        return 1
    return 0


@pytest.mark.parametrize(
    ("port", "message"),
    [
        (object(), "not an object of object"),
        (None, "not an object of NoneType"),
        (MemoryUserStore, "not the class MemoryUserStore"),
        ("sqlite:///users.db", "not an object of str"),
        (Threaded(MemoryUserStore()), "is a ThreadedUserStore, which has threads already"),
    ],
)
def test_anything_but_a_blocking_port_is_refused(port: Any, message: str) -> None:
    with pytest.raises(InvalidValue, match=f"port: .*{message}"):
        Threaded(port)


def test_invalid_numbers_are_reported_together() -> None:
    wrong: Any = {"workers": -1, "queue": 1.5}
    with pytest.raises(InvalidValue) as refused:
        Threaded(MemoryUserStore(), **wrong)
    assert [problem.field for problem in refused.value.problems] == ["workers", "queue"]
    for timeout in (0, -1, float("inf"), None, "5"):
        unbounded: Any = {"timeout": timeout}
        with pytest.raises(InvalidValue, match="timeout"):
            Threaded(MemoryUserStore(), **unbounded)


async def test_a_port_that_has_aclose_can_be_threaded() -> None:
    class Closable(MemoryUserStore):
        async def aclose(self) -> None: ...

    store = Threaded(Closable())
    assert await store.get("ana") is None
    await store.aclose()


async def test_an_asynchronous_port_is_refused_at_its_first_call() -> None:
    class Waits(MemoryUserStore):
        async def get(self, _: str, /) -> Any:
            await asyncio.sleep(0)

    class LooksForALoop(MemoryUserStore):
        async def get(self, _: str, /) -> Any:
            return asyncio.get_running_loop().time()

    for port in (Waits(), LooksForALoop()):
        with pytest.raises(InvalidValue, match=rf"port: {type(port).__name__}\.get is asynchronous"):
            await Threaded(port).get("ana")


async def test_the_executor_of_the_application_runs_the_calls_and_stays_open() -> None:
    held = Held()
    held.free.set()
    with ThreadPoolExecutor(2) as executor:
        mine = {executor.submit(get_ident).result()}
        hasher = Threaded(held, executor=executor)
        assert await hasher.hash("password") == "drowssap"
        await hasher.aclose()
        with pytest.raises(Overloaded, match=r"Held\.hash: its threads were closed"):
            await hasher.hash("password")
        mine |= {executor.submit(get_ident).result() for _ in range(2)}
        assert held.threads <= mine


async def test_an_executor_runs_no_more_calls_than_there_are_workers() -> None:
    held = HeldUsers()
    with ThreadPoolExecutor(8) as executor:
        store = Threaded(held, workers=2, executor=executor)
        calls = [asyncio.create_task(store.delete(str(number))) for number in range(6)]
        await begun(held, 2)
        assert await store.get("ana") is None, "reads have separate workers"
        assert held.begun == 2
        held.free.set()
        assert await asyncio.gather(*calls) == [False] * 6


async def test_an_executor_that_was_shut_down_is_the_error_of_the_port() -> None:
    executor = ThreadPoolExecutor(1)
    store = Threaded(MemoryUserStore(), executor=executor)
    executor.shutdown()
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match=r"MemoryUserStore\.get: its executor was shut down"):
            await store.get("ana")
    await store.aclose()


async def test_closing_does_not_wait_for_calls_that_the_executor_dropped() -> None:
    free, executor = Event(), ThreadPoolExecutor(1)
    executor.submit(free.wait, 30)
    store = Threaded(MemoryUserStore(), executor=executor, timeout=60)
    waiting = asyncio.create_task(store.get("ana"))
    await asyncio.sleep(0)
    executor.shutdown(wait=False, cancel_futures=True)
    free.set()
    waiting.cancel()
    await asyncio.wait_for(store.aclose(), 30)


async def test_a_forked_child_cannot_use_the_executor_of_its_parent() -> None:
    with ThreadPoolExecutor(1) as executor:
        store = Threaded(MemoryUserStore(), executor=executor)
        assert await store.get("ana") is None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads, as here, warns
            child = os.fork()
        if not child:
            os._exit(exit_code_of_a_refusal(store))
        assert os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, child, 0))[1]) == 0


def exit_code_of_a_refusal(store: UserStore) -> int:
    """Return 0 if the call is refused because of the fork."""
    asyncio._set_running_loop(None)
    try:
        asyncio.run(store.get("ana"))
    except InvalidValue as error:
        return error.problems[0].code != "forked"
    except BaseException:  # noqa: BLE001 - no error may escape in the child
        return 1
    return 1


@pytest.mark.parametrize("executor", [object(), ThreadPoolExecutor, ProcessPoolExecutor(1)])
def test_an_executor_without_threads_is_refused(executor: Any) -> None:
    with pytest.raises(InvalidValue, match="executor: must run calls in threads of this process"):
        Threaded(MemoryUserStore(), executor=executor)


@pytest.mark.parametrize(("port", "served"), [(UserStore, ThreadedUserStore), (Cache, ThreadedCache)])
def test_every_operation_of_a_port_has_a_threaded_form(port: Any, served: Any) -> None:
    operations = {name for name in vars(port) if inspect.iscoroutinefunction(vars(port)[name])}
    assert operations <= vars(served).keys()
