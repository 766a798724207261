"""The removal of expired entries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from authx_contract.basics.expect import holds, same
from authx_contract.basics.violation import Violation
from authx_contract.clause import clause
from authx_contract.samples.entries import MINUTE
from authx_contract.trial import Trial

_EXPIRING: Final = 60
_LIVING: Final = 200
"""More than have expired, so that a cache which purges on each write reaches all of them."""
_TIMEOUT: Final = 10.0
"""Seconds that an engine may take to remove expired entries."""
_PAUSE: Final = 0.1


@clause(
    "C-054",
    level=3,
    kind="process",
    needs=["time", "stored"],
    means="The cache grows until the server stops, or a lock ends early because somebody tidied up.",
    cause="Nothing removes what is never read again; or a purge compares with another clock than the deadlines do.",
)
async def expired_go(trial: Trial) -> None:
    """Expired entries do not stay for ever, and purging never removes a live one."""
    cache = await trial.cache()
    living: Sequence[str] = [f"living-{number}" for number in range(_LIVING)]
    for number in range(_EXPIRING):
        await cache.set(f"value-{number}", "value", ttl=MINUTE)
        await cache.increment(f"counter-{number}", ttl=MINUTE)
    holds(await trial.harness.stored() >= 2 * _EXPIRING, "`stored` of the harness counts fewer entries than are kept")
    await trial.elapse(MINUTE / 2)
    await trial.harness.purge()
    for name in ("value", "counter"):
        missing = await cache.get_many([f"{name}-{number}" for number in range(_EXPIRING)])
        same(missing.count(None), 0, "purging removed live entries")
    await trial.elapse(MINUTE / 2)
    for key in living:
        await cache.set(key, "value", ttl=2 * MINUTE)
        await cache.increment(f"{key}-too", ttl=2 * MINUTE)
    await _removed(trial, 2 * _LIVING)
    await trial.elapse(MINUTE)
    await trial.harness.purge()
    alive = [*await cache.get_many(living), *await cache.get_many([f"{key}-too" for key in living])]
    same(alive.count(None), 0, "purging removed live entries")


async def _removed(trial: Trial, most: int) -> None:
    """Wait until at most this many entries are kept."""
    end = time.monotonic() + _TIMEOUT
    await trial.harness.purge()
    while (kept := await trial.harness.stored()) > most:
        if time.monotonic() > end:
            raise Violation("expired entries stay", live=most, kept=kept)
        await asyncio.sleep(_PAUSE)
        await trial.harness.purge()
