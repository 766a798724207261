"""Outside accounts by which a user can log in."""

from __future__ import annotations

from functools import partial

from authx_core.domain import transitions
from authx_core.domain.events import SocialLinked, SocialUnlinked
from authx_core.domain.profile import read_identity
from authx_core.domain.user import User, UserId
from authx_core.ports import Events, UserStore
from authx_core.use_cases.change import change


async def link_social(user_id: UserId, provider: str, subject: str, *, users: UserStore, events: Events) -> User:
    """Let a user log in by an outside account too; one that is linked already changes nothing.

    The caller has proved that the account is this person's. Raises `UserNotFound`; `SocialTaken` if it is another
    user's; `InvalidUser` for malformed text, or beyond 100 accounts.
    """
    identity = read_identity(provider, subject)
    before, after = await change(user_id, partial(transitions.linked, identity=identity), users=users)
    if after is not before:
        await events.publish(SocialLinked(user=after, identity=identity))
    return after


async def unlink_social(user_id: UserId, provider: str, subject: str, *, users: UserStore, events: Events) -> User:
    """Take an outside account from a user; one that is not theirs changes nothing.

    Raises `UserNotFound`; `LastCredential` if the user could not log in without it; `InvalidUser` for malformed text.
    """
    identity = read_identity(provider, subject)
    before, after = await change(user_id, partial(transitions.unlinked, identity=identity), users=users)
    if after is not before:
        await events.publish(SocialUnlinked(user=after, identity=identity))
    return after
