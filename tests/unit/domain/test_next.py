"""`NEXT` stands for the stored epoch plus one."""

from __future__ import annotations

import pickle
from copy import copy, deepcopy
from datetime import datetime, timezone
from typing import Any

import attrs
import pytest

from authx_core import NEXT, InvalidValue, User, UserChanges
from authx_core.domain import changed, checks

ANN = User(id="ann", created_at=datetime(2026, 1, 1, tzinfo=timezone.utc), epoch=3, version=5)


def test_a_copied_or_pickled_next_is_the_same_object() -> None:
    assert repr(NEXT) == str(NEXT) == f"{NEXT}" == "NEXT"
    again = pickle.loads(pickle.dumps(NEXT))  # noqa: S301 - our own bytes
    assert again is copy(NEXT) is deepcopy({"epoch": NEXT})["epoch"] is NEXT


def test_next_is_one_more_than_the_epoch_of_the_user() -> None:
    assert changed(ANN, {"epoch": NEXT, "active": False}) == attrs.evolve(ANN, epoch=4, active=False, version=6)
    assert changed(ANN, {"epoch": 1}) == attrs.evolve(ANN, epoch=1, version=6)
    assert changed(ANN, {}) == attrs.evolve(ANN, version=6)


def test_the_highest_epoch_has_no_next() -> None:
    last = attrs.evolve(ANN, epoch=2**63 - 1)
    with pytest.raises(InvalidValue, match="cannot rise") as raised:
        changed(last, {"epoch": NEXT})
    [problem] = raised.value.problems
    assert (problem.field, problem.code) == ("epoch", "out_of_range")


def test_only_a_change_of_the_epoch_may_say_next() -> None:
    checks.check_update(UserChanges(epoch=NEXT), {"epoch": 1})
    given: Any
    for given in (
        {"version": NEXT},
        {"active": NEXT},
        {"password_hash": NEXT},
        {"extra": NEXT},
        {"extra": {"a": NEXT}},
    ):
        with pytest.raises(InvalidValue):
            checks.check_update(given, None)
    for given in ({"epoch": NEXT}, {"version": NEXT}):
        with pytest.raises(InvalidValue):
            checks.check_update({}, given)
    with pytest.raises(InvalidValue):
        checks.check_user(attrs.evolve(ANN, epoch=NEXT))  # type: ignore[arg-type]  # wrong on purpose
