"""Writers that are killed."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from authx_contract.basics.violation import CannotRun
from authx_contract.clause import clause
from authx_contract.probes.cancelled import eventually
from authx_contract.probes.processes import kill, worker_process
from authx_contract.probes.sweep import LANDING
from authx_contract.samples.whole_users import all_free, all_whole
from authx_contract.trial import Trial

_KILLS: Final = 50
_LIFE: Final = (0.005, 0.1)
"""Seconds that a writer lives: from before its first write to a few dozen writes."""


@clause(
    "U-085",
    level=3,
    kind="process",
    needs=["processes"],
    means="After a power cut a person's address is taken by nobody, or an account is half one and half another.",
    cause="A user and its keys are stored in several steps that are not one transaction.",
)
async def killed(trial: Trial) -> None:
    """Two processes that write at once and are killed 50 times leave every user whole, and every key has its user."""
    if not hasattr(os, "fork"):
        raise CannotRun("this system has no fork, which starts writers fast enough")
    store, seen = await trial.users(), 0
    async with worker_process(trial) as process:
        for number in range(0, _KILLS, 2):
            writers = [await process.writer(trial.seed + number + each) for each in range(2)]
            for writer in writers:
                await asyncio.sleep(trial.random.uniform(*_LIFE))
                await kill(writer)
            await asyncio.sleep(LANDING)
            seen += await eventually(lambda: all_whole(store))
    if not seen:
        raise CannotRun("the writers were killed before they wrote anything")
    await all_free(store)
