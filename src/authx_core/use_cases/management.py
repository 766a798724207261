"""Operations of administrators on one user: blacklist, kick, permissions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from authx_core.domain import transitions
from authx_core.domain.events import PermissionsChanged, UserBlacklisted, UserKicked, UserReinstated
from authx_core.domain.policy import Policy
from authx_core.domain.profile import read_permissions
from authx_core.domain.user import User, UserId
from authx_core.ports import Events, UserStore
from authx_core.use_cases.change import Transition, change
from authx_core.use_cases.lookup import well_formed
from authx_core.use_cases.search import search_after

_SWITCH: Final = ("active",)
"""The field that blacklisting and reinstating go by."""


async def get_blacklist(after: UserId | None, size: int, *, users: UserStore, policy: Policy) -> list[User]:
    """Return the next ``size`` blacklisted users after this id."""
    return await search_after(after, active=False, size=size, users=users, policy=policy)


async def toggle_blacklist(user_id: UserId, *, users: UserStore, events: Events) -> bool:
    """Blacklist or reinstate, and return whether the user is blacklisted now. Raises `UserNotFound`."""
    return not (await _switch(user_id, transitions.toggled, users=users, events=events)).active


async def blacklist(user_id: UserId, *, users: UserStore, events: Events) -> User:
    """Deactivate a user; every token is void at once. Raises `UserNotFound`."""
    return await _switch(user_id, transitions.blacklisted, users=users, events=events)


async def reinstate(user_id: UserId, *, users: UserStore, events: Events) -> User:
    """Activate a user again; tokens issued before stay void. Raises `UserNotFound`."""
    return await _switch(user_id, transitions.reinstated, users=users, events=events)


async def _switch(user_id: UserId, transition: Transition, *, users: UserStore, events: Events) -> User:
    before, after = await change(user_id, transition, users=users, watch=_SWITCH)
    if after is not before:
        await events.publish(UserReinstated(user=after) if after.active else UserBlacklisted(user=after))
    return after


async def kick(user_id: UserId, *, users: UserStore, events: Events) -> User:
    """Void every token issued so far, refresh tokens too, for good, in one call of the store that is never repeated.

    Raises `UserNotFound`.
    """
    after = await users.update(well_formed(user_id), transitions.kicked())
    await events.publish(UserKicked(user=after))
    return after


async def set_permissions(user_id: UserId, permissions: Iterable[str], *, users: UserStore, events: Events) -> User:
    """Replace the permissions of a user. Raises `UserNotFound`, `InvalidUser`."""
    transition = partial(transitions.permitted, permissions=read_permissions(permissions))
    return await _permit(user_id, transition, users=users, events=events)


async def add_permissions(user_id: UserId, permissions: Iterable[str], *, users: UserStore, events: Events) -> User:
    """Add permissions; nothing that others add or remove in parallel is lost.

    Raises `UserNotFound`, `InvalidUser`.
    """
    transition = partial(transitions.permitted_also, more=read_permissions(permissions))
    return await _permit(user_id, transition, users=users, events=events)


async def remove_permissions(user_id: UserId, permissions: Iterable[str], *, users: UserStore, events: Events) -> User:
    """Remove permissions; nothing that others add or remove in parallel is lost.

    Raises `UserNotFound`, `InvalidUser`.
    """
    transition = partial(transitions.permitted_no_longer, less=read_permissions(permissions))
    return await _permit(user_id, transition, users=users, events=events)


async def _permit(user_id: UserId, transition: Transition, *, users: UserStore, events: Events) -> User:
    before, after = await change(user_id, transition, users=users, watch=("permissions",))
    if after is not before:
        await events.publish(PermissionsChanged(user=after, old=before.permissions, new=after.permissions))
    return after
