"""Linearizable histories of several callers of a user store."""

from __future__ import annotations

from authx_contract.clause import clause
from authx_contract.probes.histories import Recorder, all_explained
from authx_contract.probes.models.callers import Caller, Roster
from authx_contract.probes.models.users import MODEL
from authx_contract.probes.races import no_error, race
from authx_contract.samples.users import warm
from authx_contract.terms import RACERS
from authx_contract.trial import Trial
from authx_core.ports import UserStore


@clause(
    "U-091",
    level=3,
    kind="race",
    means="A request acts on an account as it was before another had blacklisted, changed or deleted it.",
    cause="Reads from a replica, a cache or an old snapshot; a user who is read or written in two statements.",
)
async def linear(trial: Trial) -> None:
    """What several callers are told of users could have happened one call after the other."""
    stores = await trial.racing_users()

    async def play(round_: int, recorder: Recorder) -> None:
        roster = Roster(round_)
        await roster.enter(stores[0])
        callers = [Caller(number, trial.another_random(), recorder, roster) for number in range(RACERS)]

        async def take_part(store: UserStore, number: int) -> None:
            await callers[number].play(store)

        no_error(await race(stores, take_part, warm=warm))

    await all_explained(play, lambda history: [(history, MODEL)])
