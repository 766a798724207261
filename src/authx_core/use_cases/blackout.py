"""The blackout: end everybody's tokens issued up to an instant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from authx_core.domain import checks
from authx_core.domain.errors import InvalidValue, Problem
from authx_core.domain.events import BlackoutLifted, BlackoutSet
from authx_core.ports import Clock, Events, UserStore

_AHEAD: Final = timedelta(days=1)
"""More than clocks differ."""
_REMEMBERED: Final = 64
"""Cut-offs, so that the latest stays among them however many threads come between."""


class Told:
    """The cut-offs that were told here since the blackout was last lifted here; each step is one for all threads.

    The store's answers to calls at once may arrive in another order than it gave them: by this, an earlier cut-off is
    not told after a later one.
    """

    def __init__(self) -> None:
        self._cutoffs: list[datetime] = []

    @property
    def latest(self) -> datetime | None:
        """The latest of them, or None."""
        return max(tuple(self._cutoffs), default=None)

    def forget(self) -> None:
        """Begin anew, since the blackout is lifted."""
        self._cutoffs = []

    def move(self, cutoff: datetime, before: datetime | None) -> bool:
        """Whether to tell of a cut-off, of a call that began when ``before`` was the latest one told."""
        latest = self.latest
        overtaken = latest is not None and latest != before and latest > cutoff
        if latest == cutoff or overtaken:
            return False
        if latest is not None and latest > cutoff:  # lifted by another process since
            self.forget()
        self._cutoffs.append(cutoff)
        del self._cutoffs[:-_REMEMBERED]
        return True

    def later_than(self, cutoff: datetime) -> datetime | None:
        """Return a later cut-off that another call has begun to tell of by now, if any."""
        latest = self.latest
        return latest if latest is not None and latest > cutoff else None


async def get_blackout(*, users: UserStore) -> datetime | None:
    """Return the cut-off: tokens issued at or before it are void."""
    return await users.get_blackout()


async def set_blackout(cutoff: datetime, *, told: Told, users: UserStore, clock: Clock, events: Events) -> datetime:
    """Void everybody's tokens issued up to an instant, and return the cut-off that stands, in one round trip.

    A cut-off is told if it stands and was not told here before, so one that is not later than what stands is not
    told, and of several at once the latest is told last. An instant that two processes give is told by both.
    Raises `InvalidValue` unless it is an aware datetime, at most a day ahead: tokens that are yet to be issued would
    be void, so nobody could log in until then.
    """
    checks.check_blackout(cutoff, required=True)
    if cutoff > clock.now() + _AHEAD:
        reason = "is more than a day ahead, and nobody could log in until then"
        raise InvalidValue(Problem("cutoff", "out_of_range", reason))
    before = told.latest
    standing = await users.set_blackout(cutoff) or cutoff
    if standing == cutoff and told.move(standing, before):
        await _tell(standing, told=told, events=events)
    return standing


async def _tell(cutoff: datetime, *, told: Told, events: Events) -> None:
    """Tell of a cut-off; if a later one was told meanwhile, a slow receiver may have heard of this one last."""
    await events.publish(BlackoutSet(cutoff=cutoff))
    while (later := told.later_than(cutoff)) is not None:
        cutoff = later
        await events.publish(BlackoutSet(cutoff=cutoff))


async def delete_blackout(*, told: Told, users: UserStore, events: Events) -> None:
    """Lift the blackout: tokens that it voided are good again while they live. Told if there was one."""
    if await users.get_blackout() is not None:
        await users.set_blackout(None)
        told.forget()
        await events.publish(BlackoutLifted())
