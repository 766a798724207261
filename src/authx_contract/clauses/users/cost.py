"""The cost of a page."""

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
"""Seconds after which a few rounds suffice."""
_DEAR: Final = 4
_FAIR: Final = 2
"""An adapter fails after `_DEAR` slow series of rounds, and passes after `_FAIR` fast ones."""
_FAR: Final = 4.0
_MORE: Final = 1.2
"""The fastest reads of equal pages differ by a few per cent, unless a server skips users."""
_FLOOR: Final = 50e-6
"""Seconds below which a difference does not count."""


@attrs.frozen
class _Cost:
    """Seconds of the processor, unaffected by other programs, and of the clock, which include the server's work."""

    processor: float
    clock: float

    def far_exceeds(self, other: _Cost) -> bool:
        """Whether either time far exceeds that of the other."""
        pairs = ((self.processor, other.processor), (self.clock, other.clock))
        return any(mine > _FAR * theirs + _FLOOR for mine, theirs in pairs)

    def outlasts(self, other: _Cost) -> bool:
        """Whether it takes longer by the clock, even by a little."""
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

    A server does not send the users that it skips, and it skips a thousand in the time of a call. So on a server, the
    last page must not take even a fifth longer than the second one, which has the same kind of query. In memory and in
    files, the adapter itself reads the users that it skips, which costs far more.
    """
    server = trial.capabilities.backend == "server"
    number = _USERS[trial.capabilities.backend]
    stores = await trial.many_users(RACERS if server else 1)
    order = sorted(await _created(stores, [make_user() for _ in range(number)]))
    page = await stores[0].search(EVERYBODY, limit=1, after=order[-2])
    same([user.id for user in page], order[-1:], "the last page has the wrong user")
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
    """Read the page after each place in turn, several times; return the minimum of each, since noise only adds."""
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
