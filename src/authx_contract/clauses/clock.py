"""The clauses of a clock."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import sys
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final, Self, cast

from authx_contract.basics.expect import holds, same, utc
from authx_contract.clause import clause
from authx_contract.probes.races import preempted
from authx_contract.trial import Trial
from authx_core.ports import Clock

_ZONES: Final = ("UTC", "Asia/Kathmandu", "XYZ+11:30", "America/New_York")
_READINGS: Final = 2_000
_THREADS: Final = 4
_WHILE: Final = 0.02
"""Seconds for which a clock is observed."""
_SPELLS: Final = 20
"""How often each thread is preempted anew."""


@clause(
    "K-001",
    means="Links and locks end hours early or late.",
    cause="`datetime.now()` without a zone, or in the local one.",
)
async def aware_and_utc(trial: Trial) -> None:
    """What it tells is aware, and its offset is zero."""
    utc((await trial.timepiece()).now(), "the clock returned a local or naive time")


@clause(
    "K-002",
    means="Links and locks end hours early or late on a machine of another zone.",
    cause="`datetime.utcnow()` or local time that is labelled as UTC.",
)
async def true_whatever_the_zone(trial: Trial) -> None:
    """It tells the true time whatever TZ is; a clock declared to stand still does."""
    for zone in _ZONES:
        with _zone(zone):
            clock = await trial.timepiece()
            first = clock.now()
            off = abs(first - datetime.fromtimestamp(time.time(), timezone.utc))
            if trial.capabilities.ticks:
                holds(off < timedelta(minutes=1), f"with TZ={zone} the clock is {off} off")
            else:
                same(clock.now(), first, f"with TZ={zone} a clock that stands still moved")


@clause(
    "K-003",
    means="When the system's clock is set back, expired links work again.",
    cause="The system's clock is passed on as it is, or the latest answer is kept without a lock.",
)
async def never_back(trial: Trial) -> None:
    """It never goes back, also across threads."""
    clock = await trial.timepiece()
    latest = [clock.now()]

    def read() -> None:
        for _ in range(_READINGS // _SPELLS):
            floor = latest[0]
            now = clock.now()
            holds(now >= floor, f"the clock returned {now} after {floor}")
            latest[0] = now

    def read_preempted() -> None:
        for _ in range(_SPELLS):
            with preempted():
                read()

    with ThreadPoolExecutor(_THREADS) as pool:
        for future in [pool.submit(read_preempted) for _ in range(_THREADS)]:
            future.result()


@clause(
    "K-004",
    means="Two changes within a second seem to be one; a fresh login is taken for one before a kick.",
    cause="The time is cut to seconds or milliseconds.",
)
async def microseconds(trial: Trial) -> None:
    """It resolves microseconds."""
    clock = await trial.timepiece()
    holds(
        any(clock.now().microsecond % 1_000 for _ in range(_READINGS)),
        f"{_READINGS} readings were all whole milliseconds: the clock cuts microseconds off",
    )


@clause(
    "K-005",
    means="When the system's clock is set back an hour, a lock of 15 minutes lasts 75.",
    cause="Of the system's time and the latest answer, the later is told: between two answers, add the monotonic time.",
)
async def goes_on(trial: Trial) -> None:
    """While the system's clock is behind, it goes on at the pace of a monotonic one."""
    if not trial.capabilities.ticks:
        return
    clock = await trial.timepiece()
    before = clock.now()
    with _set_back(clock, timedelta(hours=1)):
        first, begin = clock.now(), time.monotonic()
        await asyncio.sleep(_WHILE)
        passed, advance = timedelta(seconds=time.monotonic() - begin), clock.now() - first
        holds(first >= before, f"the system's clock was set back, and the clock returned {first} after {before}")
        holds(advance > passed / 2, f"the system's clock was set back; in {passed} the clock advanced by {advance}")
    holds(clock.now() >= first + advance, "the clock went back when the system's clock was set right")


@contextmanager
def _set_back(clock: Clock, by: timedelta) -> Generator[None, None, None]:
    """Set the system's clock back, as a clock sees it through `datetime` and `time`, under any name in its module.

    A clock that reads the time in another way sees the true time, and passes.
    """
    true, seconds, nanoseconds = datetime, time.time, time.time_ns

    class Behind(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cast("Self", true.now(tz) - by)

        @classmethod
        def utcnow(cls) -> Self:
            return cast("Self", true.now(timezone.utc).replace(tzinfo=None) - by)

    behind: dict[object, object] = {
        true: Behind,
        seconds: lambda: seconds() - by.total_seconds(),
        nanoseconds: lambda: nanoseconds() - by // timedelta(microseconds=1) * 1_000,
    }
    modules = {sys.modules[kind.__module__] for kind in type(clock).__mro__ if kind.__module__ in sys.modules}
    seen = [
        (module, name, value)
        for module in {*modules, dt, time} - {sys.modules[__name__]}
        for name, value in vars(module).items()
        if value in (true, seconds, nanoseconds)
    ]
    try:
        for module, name, value in seen:
            setattr(module, name, behind[value])
        yield
    finally:
        for module, name, value in seen:
            setattr(module, name, value)


@contextmanager
def _zone(name: str) -> Generator[None, None, None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    _apply_zone()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        _apply_zone()


def _apply_zone() -> None:
    if hasattr(time, "tzset"):  # not on Windows
        time.tzset()
