"""Linearizable histories of several callers of a cache."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from authx_contract.clause import clause
from authx_contract.probes.histories import Recorder, all_explained
from authx_contract.probes.linearizability import Model, Operation, partition
from authx_contract.probes.models.cache import MIXES, MODEL, Caller
from authx_contract.probes.races import no_error, race
from authx_contract.samples.entries import warm
from authx_contract.terms import RACERS
from authx_contract.trial import Trial
from authx_core.ports import Cache


@clause(
    "C-091",
    level=3,
    kind="race",
    means="An attempt is not counted, a link works twice, or two requests hold one lock, when many calls meet.",
    cause="Reads from a replica or a copy in the process; a call that reads and then writes in a second step.",
)
async def linear(trial: Trial) -> None:
    """What several callers are told of a key could have happened one call after the other."""
    caches = await trial.racing_caches()

    async def play(round_: int, recorder: Recorder) -> None:
        mix = trial.random.choice(MIXES)
        keys = [f"a-{round_}", f"b-{round_}"]
        callers = [Caller(number, trial.another_random(), recorder, keys) for number in range(RACERS)]

        async def take_part(cache: Cache, number: int) -> None:
            await callers[number].play(cache, mix)

        no_error(await race(caches, take_part, warm=warm))

    await all_explained(play, _by_key)


def _by_key(history: Sequence[Operation]) -> Iterable[tuple[Sequence[Operation], Model[str | None]]]:
    return ((part, MODEL) for part in partition(history, lambda call: str(call.key)).values())
