"""Create, change and remove users."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TypeAlias

from authx_core.domain import checks, reasons, transitions
from authx_core.domain.errors import InvalidUser, Problem
from authx_core.domain.events import UserCreated, UserDeleted, UsernameChanged, UserUpdated
from authx_core.domain.limits import MAX_ID
from authx_core.domain.policy import Policy
from authx_core.domain.profile import read_changes
from authx_core.domain.registration import read_new_user
from authx_core.domain.user import NewUser, User, UserId
from authx_core.ports import Clock, Events, PasswordHasher, UserStore
from authx_core.use_cases.change import change
from authx_core.use_cases.hashing import check_hash, hashed
from authx_core.use_cases.lookup import well_formed

NewId: TypeAlias = Callable[[datetime], UserId]
"""Makes an id for a user that is created now."""


async def create(
    given: NewUser | Mapping[str, object],
    *,
    users: UserStore,
    hasher: PasswordHasher,
    clock: Clock,
    events: Events,
    policy: Policy,
    new_id: NewId,
) -> User:
    """Check every field at once, hash the password, store the user and publish `UserCreated`.

    Raises `InvalidUser` with every problem; `IdentifierTaken` or one of its children.
    """
    registration = read_new_user(given, policy)
    password_hash = registration.new.password_hash
    if registration.password is not None:
        password_hash = await hashed(registration.password, hasher=hasher)
    elif password_hash is not None:
        await check_hash(password_hash, hasher=hasher)
    now = clock.now()
    stored = await users.create(registration.user(new_id(now), now, password_hash))
    await events.publish(UserCreated(user=stored))
    return stored


async def update(
    user_id: UserId,
    given: Mapping[str, object],
    *,
    version: int | None,
    users: UserStore,
    events: Events,
    policy: Policy,
) -> User:
    """Change some open fields; an e-mail address that is written otherwise loses its confirmation.

    Raises `InvalidUser` with every problem, `UserNotFound`, `StaleUser` if ``version`` is given and has passed,
    `IdentifierTaken` or one of its children.
    """
    changes = read_changes(given, policy)
    if version is not None and reasons.USER["version"](version):
        raise InvalidUser(Problem("version", "invalid", "must be a positive whole number"))
    # Nothing follows from the former `extra`, so nothing is compared, and no other caller makes this one try again.
    watch = () if version is None and changes.keys() <= {"extra"} else ("version",)
    transition = partial(transitions.updated, changes=changes, version=version)
    before, after = await change(user_id, transition, users=users, watch=watch)
    await events.publish(UserUpdated(user=after, before=before, fields=frozenset(given)))
    if after.username is not None and after.username != before.username:
        await events.publish(UsernameChanged(user=after, old=before.username, new=after.username))
    return after


async def delete(user_id: UserId, *, users: UserStore, events: Events) -> bool:
    """Remove a user; True if there was one. Links, tokens and lookups are void at once. Raises `UserReferenced`."""
    checks.check_text(id=user_id)
    if not checks.is_text(user_id, MAX_ID) or not await users.delete(user_id):
        return False
    await events.publish(UserDeleted(user_id=user_id))
    return True


async def update_last_login(user_id: UserId, *, users: UserStore, clock: Clock) -> User:
    """Note that the user logged in now. Raises `UserNotFound`."""
    return await users.update(well_formed(user_id), transitions.logged_in(clock.now()))
