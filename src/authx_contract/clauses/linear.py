"""Whole histories of several callers: what they were answered, one caller after the other could have been."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from authx_contract.clause import clause
from authx_contract.clauses import _caches, _linear_cache, _linear_users, _users
from authx_contract.clauses._linear_callers import Caller, Cast
from authx_contract.histories import Recorder, all_explained
from authx_contract.linearizability import Model, Operation, partition
from authx_contract.races import RACERS, race
from authx_contract.trial import Trial
from authx_core.domain import AuthxError
from authx_core.ports import Cache, UserStore


@clause(
    "U-091",
    level=3,
    kind="race",
    means="A request acts on an account as it was before another had blacklisted, changed or deleted it.",
    cause="Reads from a replica, a cache or an old snapshot; a user who is read or written in two statements.",
)
async def users_linear(trial: Trial) -> None:
    """What several callers are told of users could have happened one call after the other."""
    stores = await trial.racing_users()

    async def play(round_: int, recorder: Recorder) -> None:
        cast = Cast(round_)
        await cast.enter(stores[0])
        callers = [Caller(number, _random(trial), recorder, cast) for number in range(RACERS)]

        async def take_part(store: UserStore, number: int) -> None:
            await callers[number].play(store)

        _no_error(await race(stores, take_part, warm=_users.warm))

    await all_explained(play, lambda history: [(history, _linear_users.MODEL)])


@clause(
    "C-091",
    level=3,
    kind="race",
    means="An attempt is not counted, a link works twice, or two requests hold one lock, when many calls meet.",
    cause="Reads from a replica or a copy in the process; a call that reads and then writes in a second step.",
)
async def cache_linear(trial: Trial) -> None:
    """What several callers are told of a key could have happened one call after the other."""
    caches = await trial.racing_caches()

    async def play(round_: int, recorder: Recorder) -> None:
        mix = trial.random.choice(_linear_cache.MIXES)
        keys = [f"a-{round_}", f"b-{round_}"]
        callers = [_linear_cache.Caller(number, _random(trial), recorder, keys) for number in range(RACERS)]

        async def take_part(cache: Cache, number: int) -> None:
            await callers[number].play(cache, mix)

        _no_error(await race(caches, take_part, warm=_caches.warm))

    await all_explained(play, _by_key)


def _by_key(history: Sequence[Operation]) -> Iterable[tuple[Sequence[Operation], Model[str | None]]]:
    return ((part, _linear_cache.MODEL) for part in partition(history, lambda call: str(call.key)).values())


def _random(trial: Trial) -> Random:
    """Return what one caller chooses by: callers on threads take turns as they like."""
    return Random(trial.random.getrandbits(64))  # noqa: S311 - to be repeated, not to be guessed


def _no_error(results: Iterable[object]) -> None:
    for result in results:
        if isinstance(result, AuthxError):
            raise result
