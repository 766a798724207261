"""Histories: the calls of several callers and their answers, in the order in which calls began and ended."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import count
from typing import Any, Final, TypeAlias

from authx_contract.basics.violation import Violation
from authx_contract.probes.counterexample import Counterexample, smallest
from authx_contract.probes.linearizability import Model, Operation
from authx_core.domain import PortUnavailable

Parts: TypeAlias = Callable[[Sequence[Operation]], Iterable[tuple[Sequence[Operation], Model[Any]]]]
"""Splits a history into independent ones, each with its model."""

_ROUNDS: Final = 500
_LEAST: Final = 120
"""Rounds that are always played, so that a busy machine finds as much as an idle one."""
_SECONDS: Final = 6.0
"""Seconds for the rounds beyond those."""
_ENOUGH: Final = 3
"""Impossible histories after which the search ends; the smallest is reported."""
_UNANSWERED: Final = 0.1
"""The ratio of unanswered to answered calls that is tolerated although nothing is down."""


class Recorder:
    """Records the calls of all callers, from tasks or threads."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._events = count()

    async def record(self, caller: int, calls: Sequence[object], answers: Awaitable[Sequence[object]]) -> None:
        """Await the answers to a batch of calls. If the port is unavailable, their effect is unknown."""
        start = next(self._events)
        try:
            results = await answers
        except PortUnavailable:
            self.operations += [Operation(caller=caller, call=call, start=start) for call in calls]
            return
        end = next(self._events)
        self.operations += [
            Operation(caller=caller, call=call, start=start, end=end, result=result)
            for call, result in zip(calls, results, strict=True)
        ]


async def all_explained(play: Callable[[int, Recorder], Awaitable[object]], parts: Parts) -> None:
    """Play rounds; raise `Violation` with the smallest history that no order explains."""
    found, answered, unanswered = list[Counterexample](), 0, 0
    end = time.monotonic() + _SECONDS
    for round_ in range(_ROUNDS):
        recorder = Recorder()
        await play(round_, recorder)
        found += [example for history, model in parts(recorder.operations) if (example := smallest(history, model))]
        unanswered += sum(each.end is None for each in recorder.operations)
        answered += sum(each.end is not None for each in recorder.operations)
        if len(found) >= _ENOUGH or (round_ >= _LEAST and time.monotonic() > end):
            break
    if found:
        example = min(found, key=lambda each: len(each.history))
        raise Violation(f"no order of these calls, one after the other, explains their answers\n{example}")
    if unanswered > _UNANSWERED * answered:
        raise Violation(
            "too many calls went without an answer, although nothing was down", unanswered=unanswered, answered=answered
        )
