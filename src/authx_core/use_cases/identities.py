"""Outside accounts by which a user can log in."""

from __future__ import annotations

from authx_core.domain.errors import InvalidUser, LastCredential, Problem
from authx_core.domain.events import SocialLinked, SocialUnlinked
from authx_core.domain.limits import MAX_IDENTITIES
from authx_core.domain.profile import read_identity
from authx_core.domain.user import SocialIdentity, User, UserChanges, UserId
from authx_core.ports import Events, UserStore
from authx_core.use_cases._change import change


async def link_social(user_id: UserId, provider: str, sid: str, *, users: UserStore, events: Events) -> User:
    """Let a user log in by an outside account too; one that is linked already changes nothing.

    The caller has proved that the account is this person's. Raises `UserNotFound`; `SocialTaken` if it is another
    user's; `InvalidUser` for malformed text, or beyond 100 accounts.
    """
    identity = read_identity(provider, sid)

    def decide(user: User) -> UserChanges | None:
        if identity in user.identities:
            return None
        if len(user.identities) >= MAX_IDENTITIES:
            raise InvalidUser(Problem("identities", "too_many", f"must be at most {MAX_IDENTITIES}"))
        return {"identities": (*user.identities, identity)}

    before, after = await change(user_id, decide, users=users)
    if after is not before:
        await events.publish(SocialLinked(user=after, identity=identity))
    return after


async def unlink_social(user_id: UserId, provider: str, sid: str, *, users: UserStore, events: Events) -> User:
    """Take an outside account from a user; one that is not theirs changes nothing.

    Raises `UserNotFound`; `LastCredential` if the user could not log in without it; `InvalidUser` for malformed text.
    """
    identity = read_identity(provider, sid)

    def decide(user: User) -> UserChanges | None:
        return _without(user, identity) if identity in user.identities else None

    before, after = await change(user_id, decide, users=users)
    if after is not before:
        await events.publish(SocialUnlinked(user=after, identity=identity))
    return after


def _without(user: User, identity: SocialIdentity) -> UserChanges:
    """Keep a way in: another identity, or a password together with an address or a username."""
    left = tuple(each for each in user.identities if each != identity)
    by_password = user.password_hash is not None and (user.email is not None or user.username is not None)
    if not left and not by_password:
        raise LastCredential(user.id)
    return {"identities": left}
