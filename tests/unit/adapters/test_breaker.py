"""After a call that a cache did not answer, every call fails at once for a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event
from typing import Final

import pytest

from authx_adapters.breaker import CircuitBreaker
from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache
from authx_core import Cache, run
from authx_core.domain import CacheUnavailable, InvalidValue

MINUTE: Final = timedelta(minutes=1)


class Seconds:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Faulty(MemoryCache):
    """A cache that counts its calls, and fails when the test says so."""

    def __init__(self) -> None:
        super().__init__(ManualClock())
        self.calls = 0
        self.fails: Callable[[], Exception] | None = None

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        self.calls += 1
        if self.fails:
            raise self.fails()
        return await super().get_many(keys)


@pytest.fixture
def faulty() -> Faulty:
    return Faulty()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def cache(faulty: Faulty, seconds: Seconds) -> Cache:
    return CircuitBreaker(faulty, monotonic=seconds)


def unavailable() -> Exception:
    return CacheUnavailable("no answer")


async def fail(cache: Cache) -> None:
    with pytest.raises(CacheUnavailable):
        await cache.get("key")


async def test_every_operation_of_a_working_cache_is_passed_on(cache: Cache) -> None:
    await cache.set("key", "value", ttl=MINUTE)
    assert await cache.get("key") == "value"
    assert await cache.get_many(["key", "other"]) == ["value", None]
    assert await cache.add("key", "other", ttl=MINUTE) is False
    assert await cache.pop("key") == "value"
    assert await cache.delete("key") is False
    assert await cache.increment("counter", by=2, ttl=MINUTE) == 2
    assert await cache.increment_many(["counter", "another"], ttl=MINUTE) == [3, 1]


async def test_after_one_unanswered_call_every_call_fails_at_once_for_a_second(
    cache: Cache, faulty: Faulty, seconds: Seconds
) -> None:
    faulty.fails = unavailable
    await fail(cache)
    seconds.now += 0.99
    operations = (
        lambda: cache.get("key"),
        lambda: cache.get_many(["key"]),
        lambda: cache.set("key", "value", ttl=MINUTE),
        lambda: cache.add("key", "value", ttl=MINUTE),
        lambda: cache.pop("key"),
        lambda: cache.delete("key"),
        lambda: cache.increment("key", ttl=MINUTE),
        lambda: cache.increment_many(["key"], ttl=MINUTE),
    )
    for operate in operations:
        with pytest.raises(CacheUnavailable, match="in a second"):
            await operate()
    assert faulty.calls == 1


async def test_after_a_second_a_success_closes_the_circuit(cache: Cache, faulty: Faulty, seconds: Seconds) -> None:
    faulty.fails = unavailable
    await fail(cache)
    faulty.fails = None
    await fail(cache)
    seconds.now += 1
    assert [await cache.get("key") for _ in range(3)] == [None] * 3


async def test_a_cache_that_stays_unavailable_is_probed_once_a_second(
    cache: Cache, faulty: Faulty, seconds: Seconds
) -> None:
    faulty.fails = unavailable
    for _ in range(100):
        await fail(cache)
        seconds.now += 0.1
    assert faulty.calls == 10


@pytest.mark.parametrize("error", [InvalidValue(), CacheUnavailable("it is full", answered=True)])
async def test_an_answered_refusal_does_not_open_the_circuit(cache: Cache, faulty: Faulty, error: Exception) -> None:
    faulty.fails = lambda: error
    with pytest.raises(type(error)):
        await cache.get("key")
    faulty.fails = None
    assert await cache.get("key") is None


@pytest.mark.parametrize("pause", [0, -1, float("nan"), float("inf"), timedelta(0), True, "1"])
def test_an_invalid_pause_is_refused(faulty: Faulty, pause: float) -> None:
    with pytest.raises(InvalidValue):
        CircuitBreaker(faulty, pause=pause)


class Gated(Faulty):
    """A cache whose calls wait until the test opens a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        self.calls += 1
        await self.gate.wait()
        if self.fails:
            raise self.fails()
        return [None] * len(keys)


async def test_one_task_probes_while_the_others_fail_at_once(seconds: Seconds) -> None:
    gated = Gated()
    cache = CircuitBreaker(gated, monotonic=seconds)
    gated.fails = unavailable
    gated.gate.set()
    await fail(cache)
    gated.gate.clear()
    seconds.now += 1
    probe = asyncio.create_task(cache.get("key"))
    await asyncio.sleep(0)
    for _ in range(120):
        await fail(cache)
    assert gated.calls == 2
    gated.fails = None
    gated.gate.set()
    assert await probe is None
    assert await cache.get("key") is None


async def test_after_a_cancelled_probe_the_next_call_probes(seconds: Seconds) -> None:
    gated = Gated()
    cache = CircuitBreaker(gated, monotonic=seconds)
    gated.fails = unavailable
    gated.gate.set()
    await fail(cache)
    gated.gate.clear()
    seconds.now += 1
    probe = asyncio.create_task(cache.get("key"))
    await asyncio.sleep(0)
    probe.cancel()
    await asyncio.wait([probe])
    gated.fails = None
    gated.gate.set()
    assert await cache.get("key") is None


async def test_a_late_failure_does_not_reopen_a_circuit_that_was_closed_since(seconds: Seconds) -> None:
    gated = Gated()
    cache = CircuitBreaker(gated, monotonic=seconds)
    gated.fails = unavailable
    late, first = (asyncio.create_task(cache.get("key")) for _ in range(2))
    await asyncio.sleep(0)
    late_gate, gated.gate = gated.gate, asyncio.Event()
    first.cancel()
    await asyncio.wait([first])
    gated.gate.set()
    await fail(cache)
    seconds.now += 1
    gated.fails = None
    assert await cache.get("key") is None
    gated.fails = unavailable
    late_gate.set()
    with pytest.raises(CacheUnavailable):
        await late
    gated.fails = None
    assert await cache.get("key") is None


def test_one_thread_probes_while_the_others_fail_at_once(seconds: Seconds) -> None:
    threads, gate, barrier = 16, Event(), Barrier(16)

    class Slow(Faulty):
        async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
            self.calls += 1
            gate.wait(30)
            raise unavailable() from KeyError(*keys)

    slow = Slow()
    cache = CircuitBreaker(slow, monotonic=seconds)
    gate.set()
    run(fail(cache))
    gate.clear()
    seconds.now += 1

    def call() -> None:
        barrier.wait(30)
        run(fail(cache))

    with ThreadPoolExecutor(threads) as pool:
        calls = [pool.submit(call) for _ in range(threads)]
        while sum(each.done() for each in calls) < threads - 1:
            pass
        gate.set()
        for each in calls:
            each.result()
    assert slow.calls == 2
