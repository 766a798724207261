"""What administrators do: blacklist, kick, blackout, permissions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from authx_core.domain import checks
from authx_core.domain.events import (
    BlackoutLifted,
    BlackoutSet,
    PermissionsChanged,
    UserBlacklisted,
    UserKicked,
    UserReinstated,
)
from authx_core.domain.policy import Policy
from authx_core.domain.profile import read_permissions
from authx_core.domain.user import User, UserChanges, UserId
from authx_core.ports import Events, UserStore
from authx_core.use_cases._change import change
from authx_core.use_cases.crud import search_after


async def get_blacklist(after: UserId | None, size: int, *, users: UserStore, policy: Policy) -> list[User]:
    """Return the next ``size`` blacklisted users after this id."""
    return await search_after(after, active=False, size=size, users=users, policy=policy)


async def toggle_blacklist(user_id: UserId, *, users: UserStore, events: Events) -> bool:
    """Blacklist or reinstate, and return whether the user is blacklisted now. Raises `UserNotFound`."""
    _, after = await change(user_id, lambda user: _deactivated(user) if user.active else {"active": True}, users=users)
    await events.publish(UserReinstated(user=after) if after.active else UserBlacklisted(user=after))
    return not after.active


async def blacklist(user_id: UserId, *, users: UserStore, events: Events) -> User:
    """Deactivate a user; every token is void at once. Raises `UserNotFound`."""
    before, after = await change(user_id, lambda user: _deactivated(user) if user.active else None, users=users)
    if after is not before:
        await events.publish(UserBlacklisted(user=after))
    return after


async def reinstate(user_id: UserId, *, users: UserStore, events: Events) -> User:
    """Activate a user again; tokens issued before stay void. Raises `UserNotFound`."""
    before, after = await change(user_id, lambda user: None if user.active else {"active": True}, users=users)
    if after is not before:
        await events.publish(UserReinstated(user=after))
    return after


def _deactivated(user: User) -> UserChanges:
    return {"active": False, "epoch": user.epoch + 1}


async def kick(user_id: UserId, *, users: UserStore, events: Events) -> User:
    """Void every token issued so far, refresh tokens too, for good. Raises `UserNotFound`."""
    _, after = await change(user_id, lambda user: {"epoch": user.epoch + 1}, users=users, watch=("epoch",))
    await events.publish(UserKicked(user=after))
    return after


async def get_blackout(*, users: UserStore) -> datetime | None:
    """Return the cut-off: tokens issued at or before it are void."""
    return await users.get_blackout()


async def set_blackout(cutoff: datetime, *, users: UserStore, events: Events) -> datetime:
    """Void everybody's tokens issued up to an instant, and return the cut-off that stands.

    One that is not later than what stands changes nothing and is not told. Raises `InvalidValue` for what is
    not an aware datetime.
    """
    checks.check_blackout(cutoff, required=True)
    standing = await users.get_blackout()
    if standing is not None and standing >= cutoff:
        return standing
    await users.set_blackout(cutoff)
    await events.publish(BlackoutSet(cutoff=cutoff))
    return await users.get_blackout() or cutoff


async def delete_blackout(*, users: UserStore, events: Events) -> None:
    """Lift the blackout: tokens that it voided are good again while they live."""
    if await users.get_blackout() is not None:
        await users.set_blackout(None)
        await events.publish(BlackoutLifted())


async def set_permissions(user_id: UserId, permissions: Iterable[str], *, users: UserStore, events: Events) -> User:
    """Replace what a user may do. Raises `UserNotFound`, `InvalidUser`."""
    wanted = read_permissions(permissions)
    return await _permit(user_id, lambda _: wanted, users=users, events=events)


async def add_permissions(user_id: UserId, permissions: Iterable[str], *, users: UserStore, events: Events) -> User:
    """Allow more; nothing that others add or remove in parallel is lost. Raises `UserNotFound`, `InvalidUser`."""
    more = read_permissions(permissions)
    return await _permit(user_id, lambda old: read_permissions(old | more), users=users, events=events)


async def remove_permissions(user_id: UserId, permissions: Iterable[str], *, users: UserStore, events: Events) -> User:
    """Allow less; nothing that others add or remove in parallel is lost. Raises `UserNotFound`, `InvalidUser`."""
    less = read_permissions(permissions)
    return await _permit(user_id, lambda old: old - less, users=users, events=events)


async def _permit(
    user_id: UserId,
    wanted: Callable[[frozenset[str]], frozenset[str]],
    *,
    users: UserStore,
    events: Events,
) -> User:
    """Set permissions; what a user may do with tokens already issued changes, so they are void."""

    def decide(user: User) -> UserChanges | None:
        permissions = wanted(user.permissions)
        if permissions == user.permissions:
            return None
        return {"permissions": permissions, "epoch": user.epoch + 1}

    before, after = await change(user_id, decide, users=users, watch=("permissions", "epoch"))
    if after is not before:
        await events.publish(PermissionsChanged(user=after, old=before.permissions, new=after.permissions))
    return after
