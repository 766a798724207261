"""What administrators do with one user: blacklist, kick, permissions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from authx_core.domain.events import (
    PermissionsChanged,
    UserBlacklisted,
    UserKicked,
    UserReinstated,
)
from authx_core.domain.next import NEXT
from authx_core.domain.policy import Policy
from authx_core.domain.profile import read_permissions
from authx_core.domain.user import User, UserChanges, UserId
from authx_core.ports import Events, UserStore
from authx_core.use_cases._change import change, well_formed
from authx_core.use_cases.crud import search_after

_SWITCH: Final = ("active",)
"""The field that blacklisting and reinstating go by."""


async def get_blacklist(after: UserId | None, size: int, *, users: UserStore, policy: Policy) -> list[User]:
    """Return the next ``size`` blacklisted users after this id."""
    return await search_after(after, active=False, size=size, users=users, policy=policy)


async def toggle_blacklist(user_id: UserId, *, users: UserStore, events: Events) -> bool:
    """Blacklist or reinstate, and return whether the user is blacklisted now. Raises `UserNotFound`."""
    _, after = await change(user_id, lambda user: _switched(to=not user.active), users=users, watch=_SWITCH)
    await events.publish(UserReinstated(user=after) if after.active else UserBlacklisted(user=after))
    return not after.active


async def blacklist(user_id: UserId, *, users: UserStore, events: Events) -> User:
    """Deactivate a user; every token is void at once. Raises `UserNotFound`."""
    before, after = await change(
        user_id, lambda user: _switched(to=False) if user.active else None, users=users, watch=_SWITCH
    )
    if after is not before:
        await events.publish(UserBlacklisted(user=after))
    return after


async def reinstate(user_id: UserId, *, users: UserStore, events: Events) -> User:
    """Activate a user again; tokens issued before stay void. Raises `UserNotFound`."""
    before, after = await change(
        user_id, lambda user: None if user.active else _switched(to=True), users=users, watch=_SWITCH
    )
    if after is not before:
        await events.publish(UserReinstated(user=after))
    return after


def _switched(*, to: bool) -> UserChanges:
    return {"active": True} if to else {"active": False, "epoch": NEXT}


async def kick(user_id: UserId, *, users: UserStore, events: Events) -> User:
    """Void every token issued so far, refresh tokens too, for good, in one call of the store that is never repeated.

    Raises `UserNotFound`.
    """
    after = await users.update(well_formed(user_id), {"epoch": NEXT})
    await events.publish(UserKicked(user=after))
    return after


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
        return {"permissions": permissions, "epoch": NEXT}

    before, after = await change(user_id, decide, users=users, watch=("permissions",))
    if after is not before:
        await events.publish(PermissionsChanged(user=after, old=before.permissions, new=after.permissions))
    return after
