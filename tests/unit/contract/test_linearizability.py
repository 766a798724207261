"""The linearizability checker on histories from the literature and against brute force, and its drawings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, combinations, permutations, product
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authx_contract.probes.counterexample import smallest, timeline
from authx_contract.probes.linearizability import Model, Operation, linearizable, partition


@attrs.frozen
class Read:
    key: str = "x"


@attrs.frozen
class Write:
    value: int
    key: str = "x"


@attrs.frozen
class Add:
    by: int = 1
    key: str = "x"


def step(state: int, call: Any) -> Iterator[tuple[int, object]]:
    match call:
        case Write(value):
            yield value, None
        case Add(by):
            yield state + by, state + by
        case _:
            yield state, state


REGISTER = Model[int](initial=0, step=step)


def at(caller: int, start: int, end: int | None, call: object, result: object = None) -> Operation:
    return Operation(caller=caller, call=call, start=start, end=end, result=result)


# The registers of Herlihy and Wing (1990), and the new-old inversion, which Lamport's regular registers (1986) allow
# and atomic ones do not.
LINEARIZABLE = {
    "an empty history": [],
    "a read of the first value": [at(0, 0, 1, Read(), 0)],
    "a read during a write sees the new value": [at(0, 0, 3, Write(1)), at(1, 1, 2, Read(), 1)],
    "a read during a write sees the old value": [at(0, 0, 3, Write(1)), at(1, 1, 2, Read(), 0)],
    "two reads during a write see old, then new": [
        at(0, 0, 5, Write(1)),
        at(1, 1, 2, Read(), 0),
        at(1, 3, 4, Read(), 1),
    ],
    "two writes at once end in either order": [at(0, 0, 3, Write(1)), at(1, 1, 2, Write(2)), at(0, 4, 5, Read(), 1)],
    "one pending write is seen": [at(0, 0, None, Write(1)), at(1, 1, 2, Read(), 0), at(1, 3, 4, Read(), 1)],
    "one pending write never happens": [at(0, 0, None, Write(1)), at(1, 1, 2, Read(), 0)],
    "a pending increment happens late": [at(0, 0, None, Add()), at(1, 1, 2, Add(), 1), at(1, 3, 4, Add(), 3)],
}
IMPOSSIBLE = {
    "a value that nobody wrote": [at(0, 0, 1, Read(), 7)],
    "a stale read": [at(0, 0, 1, Write(1)), at(1, 2, 3, Read(), 0)],
    "a new-old inversion": [at(0, 0, 5, Write(1)), at(1, 1, 2, Read(), 1), at(2, 3, 4, Read(), 0)],
    "two readers see two writes in different orders": [
        at(0, 0, 3, Write(1)),
        at(1, 1, 2, Write(2)),
        at(2, 4, 5, Read(), 1),
        at(3, 6, 7, Read(), 2),
    ],
    "a lost update": [at(0, 0, 3, Add(), 1), at(1, 1, 2, Add(), 1)],
    "a pending write is seen and then not seen": [
        at(0, 0, None, Write(1)),
        at(1, 1, 2, Read(), 1),
        at(1, 3, 4, Read(), 0),
    ],
    "a pending write is seen before it was called": [at(1, 0, 1, Read(), 1), at(0, 2, None, Write(1))],
    "a pending increment counts once at most": [at(0, 0, None, Add()), at(1, 1, 2, Add(), 3)],
}


@pytest.mark.parametrize("history", LINEARIZABLE.values(), ids=LINEARIZABLE)
def test_a_history_that_has_an_order_is_linearizable(history: Sequence[Operation]) -> None:
    assert linearizable(history, REGISTER)
    assert smallest(history, REGISTER) is None


@pytest.mark.parametrize("history", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_history_without_an_order_is_not_linearizable(history: Sequence[Operation]) -> None:
    assert not linearizable(history, REGISTER)
    example = smallest(history, REGISTER)
    assert example is not None
    assert not linearizable(example.history, REGISTER)
    assert example.last.result not in example.possible


@st.composite
def histories(draw: st.DrawFn) -> list[Operation]:
    """Draw at most five calls by up to three callers; any call may be unanswered."""
    calls: list[tuple[int, object]] = draw(
        st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from([Read(), Write(1), Write(2), Add()])), min_size=1, max_size=5
        )
    )
    events = iter(draw(st.permutations(range(2 * len(calls)))))
    operations = list[Operation]()
    for caller, call in calls:
        start, end = sorted((next(events), next(events)))
        answer = None if isinstance(call, Write) else draw(st.integers(0, 3))
        operations.append(at(caller, start, draw(st.sampled_from([end, end, end, None])), call, answer))
    return operations


def by_brute_force(history: Sequence[Operation]) -> bool:
    """Try every order of every choice of unanswered calls."""
    answered = [each for each in history if each.end is not None]
    pending = [each for each in history if each.end is None]
    choices = chain.from_iterable(combinations(pending, size) for size in range(len(pending) + 1))
    return any(
        _in_time(order) and _explained(order) for chosen in choices for order in permutations([*answered, *chosen])
    )


def _in_time(order: Sequence[Operation]) -> bool:
    return all(
        later.end is None or later.end >= earlier.start
        for position, earlier in enumerate(order)
        for later in order[position + 1 :]
    )


def _explained(order: Sequence[Operation]) -> bool:
    state = 0
    for each in order:
        [(state, result)] = step(state, each.call)
        if each.end is not None and result != each.result:
            return False
    return True


@given(histories())
@settings(max_examples=400, deadline=None)
def test_the_checker_agrees_with_brute_force(history: list[Operation]) -> None:
    assert linearizable(history, REGISTER) is by_brute_force(history)


@given(histories())
@settings(max_examples=200, deadline=None)
def test_only_the_last_answer_of_a_counterexample_is_impossible(
    history: list[Operation],
) -> None:
    example = smallest(history, REGISTER)
    if example is None:
        return
    others = [each for each in example.history if each is not example.last]
    assert not by_brute_force(example.history)
    assert by_brute_force([*others, attrs.evolve(example.last, end=None)])
    assert len(example.history) + example.left_out <= len(history)
    for answer in range(8):
        possible = by_brute_force([*others, attrs.evolve(example.last, result=answer)])
        if not isinstance(example.last.call, Write):
            assert possible is (answer in example.possible)


@given(histories())
@settings(max_examples=100, deadline=None)
def test_a_prefix_of_a_linearizable_history_is_linearizable(history: list[Operation]) -> None:
    """So a violation may be reported before all calls have ended."""
    if not linearizable(history, REGISTER):
        return
    for end in range(2 * len(history)):
        cut = [
            each if each.end is not None and each.end <= end else attrs.evolve(each, end=None)
            for each in history
            if each.start <= end
        ]
        assert linearizable(cut, REGISTER)


def test_a_long_history_of_many_callers_is_checked_quickly() -> None:
    rounds = range(40)
    history = [
        at(caller, 8 * round_ + caller, 8 * round_ + 4 + caller, Add(), 4 * round_ + 4 - caller)
        for round_, caller in product(rounds, range(4))
    ]
    assert linearizable(history, REGISTER)
    assert not linearizable([*history, at(0, 999, 1000, Read(), 0)], REGISTER)


def test_a_history_is_partitioned_by_key() -> None:
    history = [at(0, 0, 1, Write(1, "x")), at(0, 2, 3, Write(2, "y")), at(1, 4, 5, Read("x"), 1)]
    assert partition(history, lambda call: str(call.key)) == {"x": [history[0], history[2]], "y": [history[1]]}


def test_a_counterexample_is_drawn_with_only_the_calls_that_explain_it() -> None:
    history = [
        at(0, 0, 1, Write(5)),
        at(1, 2, 3, Read(), 5),
        at(0, 4, 9, Write(7)),
        at(1, 5, 6, Read(), 7),
        at(2, 7, 8, Read(), 5),
        at(1, 10, 11, Read(), 5),
    ]
    assert str(smallest(history, REGISTER)) == (
        "at first: 0\n"
        "caller 1  |---|                         Write(value=5, key='x') -> None\n"
        "caller 1          |----------------...  Write(value=7, key='x') -> no answer yet\n"
        "caller 2              |---|             Read(key='x') -> 7\n"
        "caller 3                      |---|     Read(key='x') -> 5\n"
        "impossible: caller 3 was answered 5\n"
        "in every order of these calls it is 7; 1 more, whenever they took effect, explain nothing"
    )


def test_concurrent_calls_are_drawn_one_above_the_other() -> None:
    drawn = timeline([at(0, 3, 8, Add(), 1), at(1, 5, 9, Add(), 1)])
    assert drawn == (
        "caller 1  |-------|         Add(by=1, key='x') -> 1\ncaller 2      |-------|     Add(by=1, key='x') -> 1"
    )


def test_a_write_that_would_explain_the_answer_at_another_time_is_not_left_out() -> None:
    history = [at(0, 0, 1, Write(5)), at(1, 2, 3, Read(), 5), at(1, 4, 5, Write(6)), at(0, 6, 7, Read(), 5)]
    example = smallest(history, REGISTER)
    assert example is not None
    assert [each.call for each in example.history] == [Write(5), Write(6), Read()]
    assert example.possible == (6,)


def test_a_write_that_bears_on_the_answer_is_not_left_out() -> None:
    example = smallest([at(0, 0, 3, Write(5)), at(1, 1, 2, Read(), 7)], REGISTER)
    assert example is not None
    assert example.possible == (0, 5)
