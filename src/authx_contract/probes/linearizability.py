"""Whether the answers to several callers could come from calls that happened one after the other.

A history is linearizable (Herlihy and Wing 1990) if each call can be given one instant between its start and its
end so that the calls, in the order of these instants, answer as one caller would have been answered. The search is
Wing and Gong's (1993), which never tries the same calls and the same state twice (Lowe 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Generic, TypeVar

import attrs

S = TypeVar("S", bound=Hashable)


@attrs.frozen(kw_only=True)
class Operation:
    """One call: its caller, its start and end as numbers of events, and its answer."""

    caller: int
    call: Any
    """The call, of a type that the model knows; shown by its repr."""
    start: int
    end: int | None = None
    """None if no answer came: it may take effect at any time after its start, or never."""
    result: object = None
    """The answer; meaningless if none came."""


@attrs.frozen(kw_only=True)
class Model(Generic[S]):
    """The behaviour for a single caller: a state, and the effects that a call may have on it."""

    initial: S
    step: Callable[[S, Any], Iterable[tuple[S, object]]]
    """For a state and a call, every state that may follow, with its answer."""
    shown: Callable[[S], str] = repr


def linearizable(history: Sequence[Operation], model: Model[S]) -> bool:
    """Whether some order of the calls explains all answers."""
    answered = _mask(history, lambda each: each.end is not None)
    return any(done & answered == answered for done, _ in explore(history, model))


def explore(history: Sequence[Operation], model: Model[S]) -> Iterator[tuple[int, S]]:
    """Yield each set of calls, as bits, that may have taken effect before all others, and each resulting state."""
    nothing = 0
    ahead = [(nothing, model.initial)]
    seen = set(ahead)
    while ahead:
        done, state = ahead.pop()
        yield done, state
        for number, operation in _next(history, done):
            for after, result in model.step(state, operation.call):
                useful = after != state if operation.end is None else result == operation.result
                reached = (done | 1 << number, after)
                if useful and reached not in seen:
                    seen.add(reached)
                    ahead.append(reached)


def partition(history: Iterable[Operation], part: Callable[[Any], str]) -> dict[str, list[Operation]]:
    """Split a history into parts, by a property of the calls.

    If the parts are independent, they are linearizable exactly if the whole is, and faster to search.
    """
    ordered = sorted(history, key=lambda each: part(each.call))
    return {name: list(group) for name, group in groupby(ordered, key=lambda each: part(each.call))}


def _next(history: Sequence[Operation], done: int) -> Iterator[tuple[int, Operation]]:
    """Yield the calls that may take effect next: those that started before any pending call ended."""
    left = [(number, each) for number, each in enumerate(history) if not done >> number & 1]
    horizon = min((each.end for _, each in left if each.end is not None), default=None)
    return ((number, each) for number, each in left if horizon is None or each.start <= horizon)


def _mask(history: Sequence[Operation], wanted: Callable[[Operation], bool]) -> int:
    return sum(1 << number for number, each in enumerate(history) if wanted(each))
