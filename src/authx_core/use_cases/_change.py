"""Read, decide, compare and set, until nobody came in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from authx_core.domain import checks, limits
from authx_core.domain.errors import StaleUser, UserNotFound
from authx_core.domain.user import User, UserChanges, UserFields, UserId
from authx_core.ports import UserStore

_ATTEMPTS: Final = 1000
"""Of one call. Each failure means that another caller succeeded, so as many callers at once are needed for an error."""

Decide = Callable[[User], UserChanges | None]


async def change(
    user_id: UserId,
    decide: Decide,
    *,
    users: UserStore,
    watch: tuple[str, ...] = ("version",),
    seen: User | None = None,
) -> tuple[User, User]:
    """Apply what ``decide`` makes of the user as it is at that moment; return the user before and after.

    ``decide`` answers None to leave the user alone, and is asked again if a field that it goes by (``watch``)
    was changed in the meantime. It begins with the user as ``seen``, who is read if nobody is given.

    Raises `UserNotFound`; `IdentifierTaken`; `StaleUser` after 1,000 attempts, or at once inside a transaction of
    the caller's whose snapshot does not show the change that came between.
    """
    user = seen or await existing(user_id, users=users)
    for _ in range(_ATTEMPTS):
        changes = decide(user)
        if changes is None:
            return user, user
        try:
            return user, await users.update(user.id, changes, expected=_watched(user, watch))
        except StaleUser:
            now = await existing(user_id, users=users)
            if now == user:
                raise
            user = now
    raise StaleUser(user_id)


def well_formed(user_id: UserId) -> UserId:
    """Return the id. Raises `UserNotFound` if it can be nobody's, `InvalidValue` if it is not text."""
    checks.check_text(id=user_id)
    if not checks.is_text(user_id, limits.MAX_ID):
        raise UserNotFound(user_id)
    return user_id


async def existing(user_id: UserId, *, users: UserStore) -> User:
    """Return the user. Raises `UserNotFound`."""
    user = await users.get(well_formed(user_id))
    if user is None:
        raise UserNotFound(user_id)
    return user


async def find(user_id: UserId, *, users: UserStore) -> User | None:
    """Return the user or None; a malformed id is nobody's. Raises `InvalidValue` for an id that is not text."""
    checks.check_text(id=user_id)
    return await users.get(user_id) if checks.is_text(user_id, limits.MAX_ID) else None


def _watched(user: User, watch: tuple[str, ...]) -> UserFields:
    fields: UserFields = {}
    for field in watch:
        fields[field] = getattr(user, field)  # type: ignore[literal-required]  # the fields are named by our own use cases
    return fields
