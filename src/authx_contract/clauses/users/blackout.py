"""The blackout: one cut-off for all users."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Final

from authx_contract.basics.expect import holds, same, utc
from authx_contract.clause import clause
from authx_contract.probes.counterexample import smallest
from authx_contract.probes.histories import Recorder
from authx_contract.probes.models.blackout import MODEL, VERBS, Call, answer
from authx_contract.probes.races import ROUNDS, race
from authx_contract.terms import RACERS
from authx_contract.trial import Trial
from authx_core.ports import UserStore

_CUTOFF: Final = datetime(2026, 3, 4, 5, 6, 7, 891_234, timezone.utc)
_TICK: Final = timedelta(microseconds=1)
_STEPS: Final = 3
"""The number of cut-offs that one racer sets."""
_HISTORIES: Final = 30
"""Rounds of random calls in U-065."""
_CUTOFFS: Final = 9
"""The number of cut-offs from which its callers choose."""


@clause(
    "U-060",
    means="Tokens that an administrator voided for everybody are accepted again.",
    cause="The cut-off is overwritten instead of raised, or kept with less than microseconds, or in local time.",
)
async def blackout(trial: Trial) -> None:
    """The blackout is `None` at first, exact, the later of two, also of several at once; and `None` lifts it."""
    stores = await trial.racing_users()
    store = stores[0]
    same(await store.get_blackout(), None, "there is a blackout at first")
    await store.set_blackout(None)
    same(await store.get_blackout(), None, "lifting a blackout that was not set has set one")
    for given, kept in ((_CUTOFF, _CUTOFF), (_CUTOFF - _TICK, _CUTOFF), (_CUTOFF + _TICK, _CUTOFF + _TICK)):
        await store.set_blackout(given)
        same(await store.get_blackout(), kept, "the later of two cut-offs was not kept to the microsecond")
    await store.set_blackout(None)
    same(await store.get_blackout(), None, "a lifted blackout is still there")
    east = _CUTOFF.astimezone(timezone(timedelta(hours=9)))
    await store.set_blackout(east)
    cutoff = await store.get_blackout()
    same(cutoff, _CUTOFF, "a cut-off of another zone is another instant")
    utc(cutoff or east, "a cut-off of another zone did not come back in UTC")
    await store.set_blackout(_CUTOFF.astimezone(timezone(timedelta(hours=-9))) - _TICK)
    same(await store.get_blackout(), _CUTOFF, "an earlier cut-off of another zone was taken for a later one")
    east_of_it = _CUTOFF.astimezone(timezone(timedelta(hours=9)))
    await store.set_blackout(east_of_it - _TICK)
    same(await store.get_blackout(), _CUTOFF, "an earlier cut-off of another zone was taken for a later one")
    await store.set_blackout(_CUTOFF.astimezone(timezone(timedelta(hours=-9))) + _TICK)
    same(await store.get_blackout(), _CUTOFF + _TICK, "a later cut-off of another zone was taken for an earlier one")
    await store.set_blackout(None)
    await _latest_stands(stores)


@clause(
    "U-063",
    means="An administrator is told of a cut-off that is not the one by which tokens are judged.",
    cause="The given cut-off is returned, or the one that stood before.",
)
async def standing(trial: Trial) -> None:
    """`set_blackout` returns the cut-off that stands after it, and `None` when it lifts."""
    store = await trial.users()
    same(await store.set_blackout(None), None, "lifting a blackout that was not set returned a cut-off")
    zone = timezone(timedelta(hours=9))
    for given, kept in (
        (_CUTOFF, _CUTOFF),
        (_CUTOFF, _CUTOFF),
        (_CUTOFF - _TICK, _CUTOFF),
        (_CUTOFF + _TICK, _CUTOFF + _TICK),
        ((_CUTOFF + 2 * _TICK).astimezone(zone), _CUTOFF + 2 * _TICK),
        (_CUTOFF.astimezone(zone), _CUTOFF + 2 * _TICK),
    ):
        cutoff = await store.set_blackout(given)
        same(cutoff, kept, f"setting {given} did not return the cut-off that stands")
        utc(cutoff or given, "the cut-off that stands was not returned in UTC")
        same(await store.get_blackout(), kept, "the cut-off that was returned does not stand")
    same(await store.set_blackout(None), None, "lifting the blackout returned one")
    same(await store.set_blackout(_CUTOFF), _CUTOFF, "a cut-off set after a lifted blackout was not returned")


@clause(
    "U-065",
    level=2,
    kind="race",
    means="Of two administrators who void everybody's tokens at once one is told an earlier cut-off, or none at all.",
    cause="What stands is read in another statement than the one that sets it.",
)
async def answered_alone(trial: Trial) -> None:
    """What callers of the blackout are told at once could have happened one call after the other."""
    stores = await trial.racing_users()
    for _ in range(_HISTORIES):
        await stores[0].set_blackout(None)
        recorder = Recorder()
        seeds = [trial.random.getrandbits(64) for _ in stores]

        async def call(
            store: UserStore, racer: int, recorder: Recorder = recorder, seeds: Sequence[int] = seeds
        ) -> None:
            random = Random(seeds[racer])  # noqa: S311 - repeatable, not secret
            for _step in range(_STEPS):
                made = Call(random.choice(VERBS), random.randrange(_CUTOFFS))
                await recorder.record(racer, [made], answer(store, made))

        results = await race(stores, call, warm=_warm_blackout)
        same(results, [None] * RACERS, "a call about the blackout failed")
        example = smallest(recorder.operations, MODEL)
        holds(example is None, f"no order of these calls, one after the other, explains their answers\n{example}")


async def _latest_stands(stores: list[UserStore]) -> None:
    """Check that the latest of several concurrent cut-offs is kept."""
    for round_ in range(ROUNDS):

        async def set_blackout(store: UserStore, racer: int, round_: int = round_) -> None:
            floor = _CUTOFF
            for step in range(_STEPS):
                cutoff = _CUTOFF + (step * RACERS + (racer + round_) % RACERS) * _TICK
                await store.set_blackout(cutoff)
                floor, now = max(floor, cutoff), await store.get_blackout()
                holds(now is not None and now >= floor, f"a cut-off was overwritten by an earlier one: {now} < {floor}")
                floor = now or floor

        results = await race(stores, set_blackout, warm=_warm_blackout)
        same(results, [None] * RACERS, "setting a blackout failed")
        latest = _CUTOFF + (_STEPS * RACERS - 1) * _TICK
        same(await stores[0].get_blackout(), latest, "the cut-off that was kept is not the latest")
        await stores[0].set_blackout(None)


async def _warm_blackout(store: UserStore) -> None:
    await store.get_blackout()
