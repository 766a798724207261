"""The smallest history that no order explains, drawn as a timeline."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations
from typing import Final

import attrs

from authx_contract.probes.linearizability import Model, Operation, S, explore, linearizable

_CELL: Final = 4
"""Columns from one event to the next."""
_NAMED: Final = 4
"""Answers that are listed; the others are counted."""
_BEFORE_ALL: Final = -1


@attrs.frozen
class Counterexample:
    """A history of calls that no sequential order explains."""

    initial: str
    history: tuple[Operation, ...]
    """The calls; some order explains every answer but the last."""
    last: Operation
    """The call whose answer is impossible in every order of the others."""
    possible: tuple[object, ...]
    """The answers that were possible."""
    left_out: int
    """The number of omitted calls, none of which explains the answer."""

    def __str__(self) -> str:
        """Return the timeline, the impossible answer and the possible ones."""
        answers = [repr(each) for each in self.possible]
        if len(answers) > _NAMED:
            answers[_NAMED:] = [f"{len(answers) - _NAMED} others"]
        more = f"; {self.left_out} more, whenever they took effect, explain nothing" if self.left_out else ""
        return (
            f"at first: {self.initial}\n{timeline(self.history)}\n"
            f"impossible: {_caller(self.last)} was answered {self.last.result!r}\n"
            f"in every order of these calls it is {' or '.join(answers)}{more}"
        )


def smallest(history: Sequence[Operation], model: Model[S]) -> Counterexample | None:
    """Return the smallest part of a history that no order explains, or None if an order explains the whole.

    The history is cut at the first impossible answer. A call is then omitted only if the rest stays impossible
    whether or not that call took effect, and at any time; and only if the rest still explains every answer but the
    last. A call that overlaps the last one stays if it affects that answer, since it is the likely cause.
    """
    if linearizable(history, model):
        return None
    shown, last = _first_impossible(history, model)
    hidden = list[Operation]()
    while group := _droppable(shown, hidden, last, model):
        shown = [each for each in shown if each not in group]
        hidden += [_at_any_time(each) for each in group]
    answers = _answers(shown, last, model)
    return Counterexample(model.shown(model.initial), tuple(shown), last, tuple(answers), len(hidden))


def timeline(history: Sequence[Operation]) -> str:
    """Draw one line for each call, in order of start: the caller, the duration, the call and its answer."""
    ends = [each.end for each in history if each.end is not None]
    events = sorted({*(each.start for each in history), *ends})
    column = {event: _CELL * position for position, event in enumerate(events)}
    width = _CELL * len(events)
    rows = list[str]()
    for each in sorted(history, key=lambda each: each.start):
        if each.end is None:
            line, answer = "-" * (width - column[each.start] - 4) + "...", "no answer yet"
        else:
            line, answer = "-" * (column[each.end] - column[each.start] - 1) + "|", repr(each.result)
        bar = " " * column[each.start] + "|" + line
        rows.append(f"{_caller(each)}  {bar:<{width}}  {each.call!r} -> {answer}")
    return "\n".join(rows)


def _first_impossible(history: Sequence[Operation], model: Model[S]) -> tuple[list[Operation], Operation]:
    """Return the shortest prefix that no order explains, and the call whose answer ends it."""
    answered = [(each.end, each) for each in history if each.end is not None]
    for end, last in sorted(answered, key=lambda each: each[0]):
        begun = [each for each in history if each.start <= end]
        cut = [each if each.end is not None and each.end <= end else _unanswered(each) for each in begun]
        if not linearizable(cut, model):
            return cut, last
    raise AssertionError("the whole history is its own longest prefix")  # pragma: no cover


def _droppable(
    shown: Sequence[Operation], hidden: Sequence[Operation], last: Operation, model: Model[S]
) -> Collection[Operation]:
    """Return one call, or two that are only meaningful together, that may be omitted; or nothing."""
    others = [each for each in reversed(shown) if each is not last]
    for size in (1, 2):
        for group in combinations(others, size):
            rest = [each for each in shown if each not in group]
            before_the_last = [_unanswered(each) if each is last else each for each in rest]
            free = [*hidden, *map(_at_any_time, group)]
            if (
                linearizable(before_the_last, model)
                and not linearizable([*rest, *free], model)
                and (
                    all(_is_over(each, last) for each in group)
                    or _answers(rest, last, model) == _answers(shown, last, model)
                )
            ):
                return group
    return ()


def _is_over(operation: Operation, last: Operation) -> bool:
    return operation.end is not None and operation.end < last.start


def _answers(history: Sequence[Operation], last: Operation, model: Model[S]) -> list[object]:
    """Return the possible answers of a call, given all other calls."""
    others = [each for each in history if each is not last]
    states = {state for _, state in explore(others, model)}
    results = {result for state in states for _, result in model.step(state, last.call)}
    possible = [each for each in results if linearizable([*others, attrs.evolve(last, result=each)], model)]
    return sorted(possible, key=repr)


def _unanswered(operation: Operation) -> Operation:
    return attrs.evolve(operation, end=None, result=None)


def _at_any_time(operation: Operation) -> Operation:
    return attrs.evolve(operation, start=_BEFORE_ALL, end=None, result=None)


def _caller(operation: Operation) -> str:
    return f"caller {operation.caller + 1}"
