"""Random sequences of calls of a cache and of time that passes, and the reference that answers them too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

import attrs

from authx_core.contract.clause import clause
from authx_core.contract.exploring import explore
from authx_core.contract.reference import ReferenceCache
from authx_core.contract.scripts import Script, Step
from authx_core.contract.trial import Trial

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_HALF: Final = timedelta(seconds=30)
_LONGEST: Final = 6
"""Halves of a minute that a lifetime has, at most."""


@clause(
    "C-090",
    level=2,
    kind="model",
    needs=["time", "hypothesis"],
    means="Some order of ordinary requests, which nobody thought of, ends in a wrong count or a link that works twice.",
    cause="The script shows it: play it, and look at the last line.",
)
async def cache_model(trial: Trial) -> None:
    """Random sequences of calls, and of time that passes, agree with the reference of a cache."""
    cache = await trial.cache()
    number = 0

    async def play(steps: Sequence[Step]) -> None:
        nonlocal number
        number += 1
        script = Script("cache", cache, ReferenceCache())
        for step in steps:
            if step.method == "elapse":
                await script.elapse(step, trial.elapse)
            else:
                await script.play(_with_keys_of(step, number))
        for _ in range(_LONGEST):
            await script.look([_with_keys_of(Step("get_many", (list("abcnm"),)), number)])
            await script.elapse(Step("elapse", (_HALF,)), trial.elapse)

    await explore(_cache_steps(), play, trial.seed)


def _with_keys_of(step: Step, number: int) -> Step:
    """Give keys that no other script has."""
    key, *rest = step.given
    several = cast("list[str]", key) if isinstance(key, list) else None
    mine = f"{key}{number}" if several is None else [f"{each}{number}" for each in several]
    return attrs.evolve(step, given=(mine, *rest))


def _cache_steps() -> SearchStrategy[Step]:
    from hypothesis import strategies as st  # noqa: PLC0415 - only this needs it

    key = st.sampled_from(("a", "b", "c"))
    counters = st.lists(st.sampled_from(("n", "m")), min_size=1, max_size=3)
    value = st.sampled_from(("", "x", "5", "-3"))
    ttl = st.integers(1, 3).map(lambda minutes: 2 * minutes * _HALF)
    kept = st.fixed_dictionaries({"ttl": ttl})
    counting = st.fixed_dictionaries({"by": st.sampled_from((1, 1, -1, 7)), "ttl": ttl})
    several = st.lists(st.sampled_from(("a", "b", "n", "m")), max_size=4)
    return st.one_of(
        *(st.builds(Step, st.just(method), st.tuples(key, value), kept) for method in ("set", "add")),
        st.builds(Step, st.just("increment"), st.tuples(key), counting),
        st.builds(Step, st.just("increment_many"), st.tuples(counters), counting),
        st.builds(Step, st.sampled_from(("get", "pop", "delete")), st.tuples(key)),
        st.builds(Step, st.just("get_many"), st.tuples(several)),
        st.builds(Step, st.just("elapse"), st.tuples(st.integers(1, 4).map(lambda halves: halves * _HALF))),
    )
