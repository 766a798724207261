"""What a page costs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

import attrs

from authx_contract.basics.expect import same
from authx_contract.basics.threads import gather_all, in_thread
from authx_contract.basics.violation import Violation
from authx_contract.clause import clause
from authx_contract.never_suspends import NeverSuspends
from authx_contract.samples.users import EVERYBODY, make_user
from authx_contract.terms import RACERS
from authx_contract.trial import Trial
from authx_core.blocking import run
from authx_core.domain import User, UserId
from authx_core.ports import UserStore

_USERS: Final = {"memory": 5_000, "embedded": 600, "server": 2_000}
_ROUNDS: Final = 100
_FEW: Final = 10
_SPAN: Final = 0.5
"""Seconds after which a few rounds are enough."""
_DEAR: Final = 4
_FAIR: Final = 2
"""Series of rounds that accuse an adapter, unless before that so many acquit it."""
_FAR: Final = 4.0
_MORE: Final = 1.2
"""Of pages that are asked for alike, the least that each costs differs by hundredths, unless a server skips users."""
_FLOOR: Final = 50e-6
"""Seconds below which nothing is compared."""


@attrs.frozen
class _Cost:
    """Seconds: of the processor, which other programs do not lengthen, and of the clock, in which a server works."""

    processor: float
    clock: float

    def far_exceeds(self, other: _Cost) -> bool:
        """Whether either is far more than the other's."""
        pairs = ((self.processor, other.processor), (self.clock, other.clock))
        return any(mine > _FAR * theirs + _FLOOR for mine, theirs in pairs)

    def outlasts(self, other: _Cost) -> bool:
        """Whether it takes longer by the clock, if only a little."""
        return self.clock > _MORE * other.clock + _FLOOR


@clause(
    "U-055",
    level=2,
    kind="model",
    means="A job that walks through all accounts takes hours instead of minutes, and slows everybody down.",
    cause="`OFFSET`, or all users before the page are read: compare with the last id, over an index.",
)
async def last_page(trial: Trial) -> None:
    """The last page costs no more than the first.

    What a server skips it does not send, and it skips a thousand users in the time of a call. So on a server, if it is
    near, the last page may not even take a fifth longer than the second, which is asked for in the same way. In memory
    and in files, what shows is what the adapter itself reads in vain.
    """
    server = trial.capabilities.backend == "server"
    number = _USERS[trial.capabilities.backend]
    stores = await trial.many_users(RACERS if server else 1)
    order = sorted(await _created(stores, [make_user() for _ in range(number)]))
    page = await stores[0].search(EVERYBODY, limit=1, after=order[-2])
    same([user.id for user in page], order[-1:], "the last page is another")
    dear = fair = 0
    while fair < _FAIR:
        first, second, last = await _least(stores[0], (None, order[0], order[-2]))
        if last.far_exceeds(first) or (server and last.outlasts(second)):
            dear += 1
        else:
            fair += 1
        if dear == _DEAR:
            what = f"the last page of {number} users costs more than those at the start"
            raise Violation(what, first=first, second=second, last=last)


async def _created(stores: Sequence[UserStore], users: Sequence[User]) -> list[UserId]:
    """Create users through all handles at once, and return their ids."""
    created = list[UserId]()

    async def share(store: UserStore, its: Iterable[User]) -> None:
        for user in its:
            created.append((await store.create(user)).id)

    shares = [share(store, users[number :: len(stores)]) for number, store in enumerate(stores)]
    if len(stores) > 1 and isinstance(stores[0], NeverSuspends):
        shares = [in_thread(partial(run, each)) for each in shares]
    await gather_all(*shares)
    return created


async def _least(store: UserStore, places: Sequence[UserId | None]) -> list[_Cost]:
    """Ask for the page after each place in turn, several times; return the least of each: whatever disturbs adds."""
    costs = [list[_Cost]() for _ in places]
    enough = time.perf_counter() + _SPAN
    for round_ in range(_ROUNDS):
        if round_ >= _FEW and time.perf_counter() > enough:
            break
        for after, found in zip(places, costs, strict=True):
            start = _Cost(time.process_time(), time.perf_counter())
            await store.search(EVERYBODY, limit=1, after=after)
            end = _Cost(time.process_time(), time.perf_counter())
            found.append(_Cost(end.processor - start.processor, end.clock - start.clock))
    return [_Cost(min(each.processor for each in found), min(each.clock for each in found)) for found in costs]
