"""Broken clocks."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from random import Random
from threading import Lock, get_ident

from authx_adapters.clock import ManualClock, SystemClock
from authx_contract import Capabilities, Harness
from authx_core.ports import Clock
from zoo.machinery.registry import mutant


@mutant("K-001", "the time is that of another zone than UTC")
class ZonedClock(SystemClock):
    def now(self) -> datetime:
        return super().now().astimezone(timezone(timedelta(hours=1)))


@mutant("K-002", "the offset of the local zone is applied to UTC")
class TwiceConverted(SystemClock):
    def now(self) -> datetime:
        return super().now() + timedelta(seconds=time.timezone)


@mutant("K-002", "the time is the seconds since the machine started, counted from 1970")
class MonotonicSinceStart(Clock):
    def now(self) -> datetime:
        return datetime.fromtimestamp(time.monotonic(), timezone.utc)


class _Frozen(ManualClock):
    def now(self) -> datetime:
        self.advance(timedelta(microseconds=1))
        return super().now()


@mutant("K-002", "a clock that is declared to stand still moves when it is read")
class CreepingManualClock(Harness):
    capabilities = Capabilities(ticks=False)

    async def open_clock(self) -> Clock:
        return _Frozen(datetime(2026, 1, 1, microsecond=123_457, tzinfo=timezone.utc))


@mutant("K-003", "each answer is ahead by a random fraction of a millisecond")
class Jitter(SystemClock):
    random = Random(1)  # noqa: S311 - not a secret

    def now(self) -> datetime:
        return super().now() + timedelta(microseconds=self.random.randrange(1000))


@mutant("K-003", "the clock is a second behind in every thread but the one that opened it")
class BehindInOtherThreads(SystemClock):
    def __init__(self) -> None:
        super().__init__()
        self.home = get_ident()

    def now(self) -> datetime:
        return super().now() - timedelta(seconds=get_ident() != self.home)


@mutant("K-004", "the time is cut to milliseconds")
class Milliseconds(SystemClock):
    def now(self) -> datetime:
        now = super().now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


@mutant("K-005", "the clock stands still while the system's clock is behind")
class StandsStill(Clock):
    def __init__(self) -> None:
        self.lock = Lock()
        self.last = datetime.now(timezone.utc)

    def now(self) -> datetime:
        with self.lock:
            self.last = max(self.last, datetime.now(timezone.utc))
            return self.last


@mutant("K-005", "while the system's clock is behind, each answer is a microsecond after the last")
class Creeps(Clock):
    def __init__(self) -> None:
        self.lock = Lock()
        self.last = time.time_ns() // 1000

    def now(self) -> datetime:
        with self.lock:
            self.last = max(self.last + 1, time.time_ns() // 1000)
            return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=self.last)
