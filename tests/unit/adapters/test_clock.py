"""Clocks."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from authx_adapters.clock import ManualClock, SystemClock


def test_the_system_clock_tells_utc_wherever_the_machine_is() -> None:
    before = datetime.now(timezone.utc)
    now = SystemClock().now()
    assert before <= now <= datetime.now(timezone.utc)
    assert now.utcoffset() == timedelta(0)


def test_a_manual_clock_moves_when_it_is_moved() -> None:
    clock = ManualClock(datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=9))))
    clock.advance(60)
    clock.advance(timedelta(minutes=-2))
    assert clock.now() == datetime(2025, 12, 31, 23, 59, tzinfo=timezone.utc)
