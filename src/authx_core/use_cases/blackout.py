"""The blackout: end everybody's tokens issued up to an instant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from authx_core.domain import checks
from authx_core.domain.errors import InvalidValue, Problem
from authx_core.domain.events import BlackoutLifted, BlackoutSet
from authx_core.ports import Clock, Events, UserStore
from authx_core.use_cases.cutoffs import PublishedCutoffs

_AHEAD: Final = timedelta(days=1)
"""More than the clocks of servers differ."""


async def get_blackout(*, users: UserStore) -> datetime | None:
    """Return the cut-off: tokens issued at or before it are void."""
    return await users.get_blackout()


async def set_blackout(
    cutoff: datetime, *, published: PublishedCutoffs, users: UserStore, clock: Clock, events: Events
) -> datetime:
    """Void everybody's tokens issued up to an instant, and return the cut-off that stands, in one round trip.

    `BlackoutSet` is published unless a later cut-off stands or this facade has published the same one; of several
    concurrent cut-offs the latest is published last. An instant that two processes set is published by both.
    Raises `InvalidValue` unless it is an aware datetime, at most a day ahead: it would void tokens that are yet to be
    issued, so nobody could log in until then.
    """
    checks.check_blackout(cutoff, required=True)
    if cutoff > clock.now() + _AHEAD:
        reason = "is more than a day ahead, and nobody could log in until then"
        raise InvalidValue(Problem("cutoff", "out_of_range", reason))
    before = published.latest
    standing = await users.set_blackout(cutoff) or cutoff
    if standing == cutoff and published.add(standing, before):
        await _publish(standing, published=published, events=events)
    return standing


async def _publish(cutoff: datetime, *, published: PublishedCutoffs, events: Events) -> None:
    """Publish a cut-off, and again each later one that was published meanwhile: a slow receiver may take it first."""
    await events.publish(BlackoutSet(cutoff=cutoff))
    while (later := published.later_than(cutoff)) is not None:
        cutoff = later
        await events.publish(BlackoutSet(cutoff=cutoff))


async def delete_blackout(*, published: PublishedCutoffs, users: UserStore, events: Events) -> None:
    """Lift the blackout: tokens that it voided are good again while they live.

    `BlackoutLifted` is published if there was one.
    """
    if await users.get_blackout() is not None:
        await users.set_blackout(None)
        published.clear()
        await events.publish(BlackoutLifted())
