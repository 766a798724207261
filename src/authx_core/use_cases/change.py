"""Read, decide, compare and set; read again and decide anew while other writers come first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from authx_core.domain.errors import StaleUser
from authx_core.domain.user import User, UserChanges, UserFields, UserId
from authx_core.ports import UserStore
from authx_core.use_cases.lookup import existing

_ATTEMPTS: Final = 1000
"""Of one call. Each failure means that another caller succeeded, so as many callers at once are needed for an error."""

Transition: TypeAlias = Callable[[User], UserChanges | None]
"""One of `authx_core.domain.transitions`: the changes to a user; None changes nothing."""


async def change(
    user: UserId | User,
    transition: Transition,
    *,
    users: UserStore,
    watch: tuple[str, ...] = ("version",),
) -> tuple[User, User]:
    """Apply a transition to a user and return the user before and after: one object, if nothing changes.

    A user who was just read is not read again; an id is looked up. The transition decides anew if another writer
    changes a field that it goes by (``watch``) in the meantime.

    Raises `UserNotFound`; `IdentifierTaken`; `StaleUser` after 1,000 attempts, or at once inside a transaction of
    the caller's whose snapshot does not show the other writer's change.
    """
    before = user if isinstance(user, User) else await existing(user, users=users)
    for _ in range(_ATTEMPTS):
        changes = transition(before)
        if changes is None:
            return before, before
        try:
            return before, await users.update(before.id, changes, expected=_watched(before, watch))
        except StaleUser:
            now = await existing(before.id, users=users)
            if now == before:
                raise
            before = now
    raise StaleUser(before.id)


def _watched(user: User, watch: tuple[str, ...]) -> UserFields:
    fields: UserFields = {}
    for field in watch:
        fields[field] = getattr(user, field)  # type: ignore[literal-required]  # the fields are named by our own use cases
    return fields
