"""Clocks."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from threading import Event

from authx_adapters.clock import ManualClock, SystemClock


def test_the_system_clock_tells_utc_wherever_the_machine_is() -> None:
    before = datetime.now(timezone.utc)
    now = SystemClock().now()
    assert before <= now <= datetime.now(timezone.utc)
    assert now.utcoffset() == timedelta(0)


class Machine:
    """A system whose time, and whose monotonic time, a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=timezone.utc)
        self.nanoseconds = 5
        self.clock = SystemClock(system=lambda: self.time, monotonic=lambda: self.nanoseconds)

    def passes(self, by: timedelta) -> None:
        self.time += by
        self.nanoseconds += by // timedelta(microseconds=1) * 1_000


def test_a_clock_goes_on_while_the_system_is_behind() -> None:
    machine = Machine()
    start = machine.clock.now()
    machine.time -= timedelta(hours=1)
    for minutes in range(1, 121):
        machine.passes(timedelta(minutes=1))
        assert machine.clock.now() == start + timedelta(minutes=minutes)


def test_a_clock_follows_the_system_forwards() -> None:
    machine = Machine()
    machine.time -= timedelta(hours=1)
    machine.time += timedelta(hours=3)
    assert machine.clock.now() == machine.time
    machine.passes(timedelta(seconds=1))
    assert machine.clock.now() == machine.time


def test_a_clock_does_not_gain_however_often_it_is_read() -> None:
    machine = Machine()
    start = machine.clock.now()
    for _ in range(10_000):
        machine.nanoseconds += 999
        machine.clock.now()
    machine.time += timedelta(microseconds=1)
    assert machine.clock.now() - start == timedelta(microseconds=9_990)


def test_a_clock_whose_lock_is_held_at_a_fork_tells_the_time_in_the_child() -> None:
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


def test_a_manual_clock_moves_when_it_is_moved() -> None:
    clock = ManualClock(datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=9))))
    clock.advance(60)
    clock.advance(timedelta(minutes=-2))
    assert clock.now() == datetime(2025, 12, 31, 23, 59, tzinfo=timezone.utc)
