"""Random sequences of calls on a cache while time passes, compared with the reference."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

import attrs

from authx_contract.clause import clause
from authx_contract.probes.random_scripts import play_random_scripts
from authx_contract.probes.reference import ReferenceCache
from authx_contract.probes.scripts import Script, Step
from authx_contract.trial import Trial

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_SCRIPTS: Final = 1000
_HALF: Final = timedelta(seconds=30)
_LONGEST: Final = 6
"""The longest lifetime, in half minutes."""


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
            await script.look([_with_keys_of(Step("get_many", (list("abnm"),)), number)])
            await script.elapse(Step("elapse", (_HALF,)), trial.elapse)

    await play_random_scripts(_cache_steps(), play, trial, scripts=_SCRIPTS)


def _with_keys_of(step: Step, number: int) -> Step:
    """Make the keys unique to the script."""
    key, *rest = step.given
    several = cast("list[str]", key) if isinstance(key, list) else None
    mine = f"{key}{number}" if several is None else [f"{each}{number}" for each in several]
    return attrs.evolve(step, given=(mine, *rest))


def _cache_steps() -> SearchStrategy[Step]:
    from hypothesis import strategies as st  # noqa: PLC0415 - only this needs it

    lifetimes = [{"ttl": 2 * minutes * _HALF} for minutes in (1, 2, 3)]
    counts = [{"by": by, **lifetime} for by in (1, -1, 7) for lifetime in lifetimes]
    # Keys that are counted together never hold text: the port does not say whether the others count then.
    values = [("a", "x"), ("a", "5"), ("b", ""), ("b", "-3"), ("n", "5")]
    keys = ("a", "a", "b", "n", "m")
    return st.one_of(
        *(
            st.sampled_from([Step(method, value, lifetime) for value in values for lifetime in lifetimes])
            for method in ("set", "add")
        ),
        st.sampled_from([Step("increment", (key,), count) for key in "abn" for count in counts]),
        st.sampled_from([Step("increment_many", (list(each),), count) for each in ("n", "nmn") for count in counts]),
        *(st.sampled_from([Step(method, (key,)) for key in keys]) for method in ("delete", "pop")),
        st.sampled_from([Step(method, (key,)) for method in ("get", "pop", "delete") for key in keys]),
        st.sampled_from([Step("get_many", (list(each),)) for each in ("", "abnm", "aan")]),
        st.sampled_from([Step("elapse", (halves * _HALF,)) for halves in (1, 2, 3, 4)]),
    )
