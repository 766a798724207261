"""What every clock promises."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Final

from authx_core.contract.clause import clause
from authx_core.contract.expect import holds, same, utc
from authx_core.contract.trial import Trial

_ZONES: Final = ("UTC", "Asia/Kathmandu", "XYZ+11:30", "America/New_York")
_READINGS: Final = 2_000
_THREADS: Final = 4


"""Clauses for a `Clock`."""


@clause(
    "K-001",
    means="Links and locks end hours early or late.",
    cause="`datetime.now()` without a zone, or in the local one.",
)
async def aware_and_utc(trial: Trial) -> None:
    """What it tells is aware, and its offset is zero."""
    utc((await trial.timepiece()).now(), "the clock told a local or naive time")


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
        for _ in range(_READINGS):
            floor = latest[0]
            now = clock.now()
            holds(now >= floor, f"the clock told {now} after {floor}")
            latest[0] = now

    with ThreadPoolExecutor(_THREADS) as pool:
        for future in [pool.submit(read) for _ in range(_THREADS)]:
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
