"""The system clock and the manual clock."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from threading import Event

from authx_adapters.clock import ManualClock, SystemClock


def test_the_system_clock_returns_utc_in_every_time_zone() -> None:
    before = datetime.now(timezone.utc)
    now = SystemClock().now()
    assert before <= now <= datetime.now(timezone.utc)
    assert now.utcoffset() == timedelta(0)


class Machine:
    """A machine whose system time and monotonic time the test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=timezone.utc)
        self.nanoseconds = 5
        self.clock = SystemClock(system=lambda: self.time, monotonic=lambda: self.nanoseconds)

    def advance(self, by: timedelta) -> None:
        self.time += by
        self.nanoseconds += by // timedelta(microseconds=1) * 1_000


def test_a_clock_keeps_advancing_after_the_system_time_steps_back() -> None:
    machine = Machine()
    start = machine.clock.now()
    machine.time -= timedelta(hours=1)
    for minutes in range(1, 121):
        machine.advance(timedelta(minutes=1))
        assert machine.clock.now() == start + timedelta(minutes=minutes)


def test_a_clock_follows_the_system_time_forwards() -> None:
    machine = Machine()
    machine.time -= timedelta(hours=1)
    machine.time += timedelta(hours=3)
    assert machine.clock.now() == machine.time
    machine.advance(timedelta(seconds=1))
    assert machine.clock.now() == machine.time


def test_reading_a_clock_often_does_not_make_it_gain() -> None:
    machine = Machine()
    start = machine.clock.now()
    for _ in range(10_000):
        machine.nanoseconds += 999
        machine.clock.now()
    machine.time += timedelta(microseconds=1)
    assert machine.clock.now() - start == timedelta(microseconds=9_990)


def test_a_clock_works_in_a_child_that_was_forked_while_its_lock_was_held() -> None:
    entered, release = Event(), Event()

    def slow() -> datetime:
        entered.set()
        release.wait()
        return datetime.now(timezone.utc)

    release.set()
    clock = SystemClock(system=slow)
    entered.clear()
    release.clear()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(clock.now)
        entered.wait(30)
        child = os.fork()
        if not child:
            signal.alarm(10)
            release.set()
            os._exit(clock.now().year < 2026)
        release.set()
        reading.result()
    assert os.waitpid(child, 0)[1] == 0


def test_a_manual_clock_advances_by_seconds_or_a_timedelta() -> None:
    clock = ManualClock(datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=9))))
    clock.advance(60)
    clock.advance(timedelta(minutes=-2))
    assert clock.now() == datetime(2025, 12, 31, 23, 59, tzinfo=timezone.utc)
