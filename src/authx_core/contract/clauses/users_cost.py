"""What a page costs."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

import attrs

from authx_core.contract.clause import clause
from authx_core.contract.clauses._users import EVERYBODY, make_user
from authx_core.contract.expect import same
from authx_core.contract.trial import Trial
from authx_core.contract.violation import Violation

_USERS: Final = {"memory": 5_000, "embedded": 600, "server": 600}
_ROUNDS: Final = 15
_SERIES: Final = 3
"""All of them must agree before an adapter is accused."""
_FACTOR: Final = 4.0
_FLOOR: Final = 50e-6
"""Seconds below which nothing is compared."""


@attrs.frozen
class _Cost:
    """Seconds: of the processor, which other programs do not lengthen, and of the clock, in which a server works."""

    processor: float
    clock: float

    def exceeds(self, other: _Cost) -> bool:
        """Whether either is far more than the other's."""
        pairs = ((self.processor, other.processor), (self.clock, other.clock))
        return any(mine > _FACTOR * theirs + _FLOOR for mine, theirs in pairs)


@clause(
    "U-055",
    level=2,
    kind="model",
    means="A job that walks through all accounts takes hours instead of minutes, and slows everybody down.",
    cause="`OFFSET`, or all users are read and cut: compare with the last id, over an index.",
)
async def last_page(trial: Trial) -> None:
    """The last page costs no more than the first."""
    store = await trial.users()
    number = _USERS[trial.capabilities.backend]
    order = sorted([(await store.create(make_user())).id for _ in range(number)])
    page = await store.search(EVERYBODY, limit=1, after=order[-2])
    same([user.id for user in page], order[-1:], "the last page is another")

    async def first() -> None:
        await store.search(EVERYBODY, limit=1)

    async def last() -> None:
        await store.search(EVERYBODY, limit=1, after=order[-2])

    cheap, dear = await _least(first, last)
    for _ in range(_SERIES - 1):
        if dear.exceeds(cheap):
            cheap, dear = await _least(first, last)
    if dear.exceeds(cheap):
        raise Violation(f"the last page of {number} users costs far more than the first", first=cheap, last=dear)


async def _least(*calls: Callable[[], Awaitable[None]]) -> list[_Cost]:
    """Measure calls in turn, several times, and return the least that each cost: whatever disturbs only adds."""
    costs = [list[_Cost]() for _ in calls]
    for _ in range(_ROUNDS):
        for call, found in zip(calls, costs, strict=True):
            start = _Cost(time.process_time(), time.perf_counter())
            await call()
            end = _Cost(time.process_time(), time.perf_counter())
            found.append(_Cost(end.processor - start.processor, end.clock - start.clock))
    return [_Cost(min(each.processor for each in found), min(each.clock for each in found)) for found in costs]
