"""Eviction and expiry in the memory cache."""

from __future__ import annotations

from datetime import timedelta

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache
from authx_core import CacheUnavailable, InvalidValue, run

WINDOW = timedelta(minutes=15)


def test_a_flood_of_new_keys_does_not_evict_a_counter_that_is_close_to_a_limit() -> None:
    cache = MemoryCache(ManualClock(), size=100)
    for _ in range(9):
        run(cache.increment("attacked", ttl=WINDOW))
    for number in range(10_000):
        run(cache.increment(f"new-{number}", ttl=WINDOW))
    assert run(cache.increment("attacked", ttl=WINDOW)) == 10


def test_counters_and_values_do_not_evict_each_other() -> None:
    cache = MemoryCache(ManualClock(), size=100)
    run(cache.set("link", "digest", ttl=WINDOW))
    run(cache.increment("once", ttl=WINDOW))
    for number in range(1_000):
        run(cache.increment(f"new-{number}", ttl=WINDOW))
    assert run(cache.get("link")) == "digest"
    for number in range(1_000):
        run(cache.set(f"value-{number}", "", ttl=WINDOW))
    assert run(cache.get("link")) is None
    assert run(cache.get("new-999")) == "1"


def test_a_cache_full_of_counters_close_to_their_limits_refuses_a_new_one_until_one_expires() -> None:
    clock = ManualClock()
    cache = MemoryCache(clock, size=10)
    for number in range(10):
        run(cache.increment_many([f"hot-{number}"] * 2, ttl=WINDOW + timedelta(seconds=number)))
    with pytest.raises(CacheUnavailable):
        run(cache.increment("new", ttl=WINDOW))
    assert run(cache.get("hot-0")) == "2"
    clock.advance(WINDOW)
    assert run(cache.increment("new", ttl=WINDOW)) == 1
    assert run(cache.get("hot-1")) == "2"


def test_expired_entries_are_removed() -> None:
    clock = ManualClock()
    cache = MemoryCache(clock)
    for number in range(1_000):
        run(cache.set(f"old-{number}", "", ttl=WINDOW))
    clock.advance(WINDOW)
    for number in range(1_000):
        run(cache.set(f"new-{number}", "", ttl=WINDOW))
    assert len(cache._values.entries) == 1_000


def test_an_expired_entry_stays_expired_when_the_clock_steps_back() -> None:
    clock = ManualClock()
    cache = MemoryCache(clock)
    run(cache.set("unread", "value", ttl=WINDOW))
    clock.advance(WINDOW)
    assert run(cache.get("other")) is None
    clock.advance(-WINDOW)
    assert run(cache.get("unread")) is None


def test_a_size_of_zero_is_refused() -> None:
    with pytest.raises(InvalidValue):
        MemoryCache(ManualClock(), size=0)
