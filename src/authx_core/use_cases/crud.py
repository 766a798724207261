"""Create, find, change and remove users."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

import attrs

from authx_core.domain import checks, limits, reasons
from authx_core.domain.canonical import email_fragment, email_key, username_fragment, username_key
from authx_core.domain.changes import changed
from authx_core.domain.errors import InvalidQuery, InvalidUser, InvalidValue, Problem, StaleUser, UnknownHash
from authx_core.domain.events import UserCreated, UserDeleted, UsernameChanged, UserUpdated
from authx_core.domain.password import prepared
from authx_core.domain.policy import Policy
from authx_core.domain.profile import read_changes, read_new_user
from authx_core.domain.secret import Secret
from authx_core.domain.user import NewUser, User, UserChanges, UserId, UserQuery
from authx_core.ports import Clock, Events, PasswordHasher, UserStore
from authx_core.use_cases._change import change, find, well_formed

NewId: TypeAlias = Callable[[datetime], UserId]
"""Makes an id for a user that is created now."""


async def get(user_id: UserId, *, users: UserStore) -> User | None:
    """Return the user with this id, or None."""
    return await find(user_id, users=users)


async def get_by_email(email: str, *, users: UserStore) -> User | None:
    """Return the user with this address in any spelling, or None."""
    checks.check_text(email=email)
    try:
        key = email_key(email)
    except InvalidValue:
        return None
    return await users.get_by_email(key)


async def get_by_username(username: str, *, users: UserStore) -> User | None:
    """Return the user with this username in any spelling, or None."""
    checks.check_text(username=username)
    try:
        key = username_key(username)
    except InvalidValue:
        return None
    return await users.get_by_username(key)


async def get_by_login(login: str, *, users: UserStore) -> User | None:
    """Return the user by an address if there is an ``@``, else by a username."""
    checks.check_text(login=login)
    if "@" in login:
        return await get_by_email(login, users=users)
    return await get_by_username(login, users=users)


async def get_by_social(provider: str, sid: str, *, users: UserStore) -> User | None:
    """Return the user who linked this outside account, or None."""
    checks.check_text(provider=provider, sid=sid)
    if not (checks.is_text(provider) and checks.is_text(sid)):
        return None
    return await users.get_by_social(provider, sid)


async def create(
    obj: NewUser | Mapping[str, object],
    *,
    users: UserStore,
    hasher: PasswordHasher,
    clock: Clock,
    events: Events,
    policy: Policy,
    new_id: NewId,
) -> User:
    """Check every field at once, hash the password, store the user and tell of it.

    Raises `InvalidUser` with every problem; `IdentifierTaken` or its telling child.
    """
    new, fields = read_new_user(obj, policy)
    password_hash = new.password_hash
    if new.password is not None:
        password_hash = await hashed(new.password, hasher=hasher, policy=policy)
    elif password_hash is not None:
        await _check_hash(password_hash, hasher=hasher)
    now = clock.now()
    granted = User(
        id=new_id(now),
        password_hash=password_hash,
        active=new.active,
        confirmed=new.confirmed,
        identities=new.identities,
        created_at=new.created_at or now,
        last_login=new.last_login,
    )
    stored = await users.create(attrs.evolve(changed(granted, fields), version=1))
    await events.publish(UserCreated(user=stored))
    return stored


async def _check_hash(password_hash: Secret, *, hasher: PasswordHasher) -> None:
    """Refuse a hash that the hasher cannot verify, such as a password in clear, and that of the empty password."""
    try:
        of_nothing = await hasher.verify("", password_hash.reveal())
    except UnknownHash:
        reason = "is no hash of an accepted scheme: give a password in clear as `password`"
        raise InvalidUser(Problem("password_hash", "unknown_hash", reason)) from None
    if of_nothing.ok:
        raise InvalidUser(Problem("password_hash", "empty", "is the hash of the empty password"))


async def hashed(password: Secret, *, hasher: PasswordHasher, policy: Policy) -> Secret:
    """Hash a password that the policy has accepted."""
    ready = prepared(password, policy.password_max_bytes)
    if isinstance(ready, Problem):
        raise InvalidUser(ready)
    return Secret(await hasher.hash(ready.reveal()))


async def update(
    user_id: UserId,
    obj: Mapping[str, object],
    *,
    version: int | None,
    users: UserStore,
    events: Events,
    policy: Policy,
) -> User:
    """Change some open fields; an e-mail address that is written otherwise loses its confirmation.

    Raises `InvalidUser` with every problem, `UserNotFound`, `StaleUser` if ``version`` is given and has passed,
    `IdentifierTaken` or its telling child.
    """
    changes = read_changes(obj, policy)
    if version is not None and reasons.USER["version"](version):
        raise InvalidUser(Problem("version", "invalid", "must be a positive whole number"))
    # Nothing follows from what `extra` was, so nothing is compared, and no other caller makes this one try again.
    watch = () if version is None and changes.keys() <= {"extra"} else ("version",)
    before, after = await change(user_id, lambda user: _completed(user, changes, version), users=users, watch=watch)
    await events.publish(UserUpdated(user=after, before=before, fields=frozenset(obj)))
    if after.username is not None and after.username != before.username:
        await events.publish(UsernameChanged(user=after, old=before.username, new=after.username))
    return after


def _completed(user: User, changes: UserChanges, version: int | None) -> UserChanges:
    """Add what follows from the changes to this very user."""
    if version is not None and version != user.version:
        raise StaleUser(user.id)
    after = changed(user, changes)
    if after.email is None and after.username is None and not after.identities:
        raise InvalidUser(Problem("", "nobody", "needs an e-mail address, a username or a social identity"))
    return changes if after.email == user.email else {**changes, "confirmed": False}


async def delete(user_id: UserId, *, users: UserStore, events: Events) -> bool:
    """Remove a user; True if there was one. Links, tokens and lookups are dead at once. Raises `UserReferenced`."""
    checks.check_text(id=user_id)
    if not checks.is_text(user_id, limits.MAX_ID) or not await users.delete(user_id):
        return False
    await events.publish(UserDeleted(user_id=user_id))
    return True


async def update_last_login(user_id: UserId, *, users: UserStore, clock: Clock) -> User:
    """Note that the user logged in now. Raises `UserNotFound`."""
    return await users.update(well_formed(user_id), {"last_login": clock.now()})


async def search(
    id: UserId | None,  # noqa: A002 - the name is AuthX's
    username: str | None,
    p: int,
    size: int,
    *,
    users: UserStore,
    policy: Policy,
) -> tuple[list[User], int]:
    """Return page ``p`` (from 1) of the users found, and how many there are in all. Raises `InvalidQuery`."""
    query = UserQuery(id=id, username_contains=_fragment(username, username_fragment))
    problems = [*_wrong_size(size, policy), *_wrong_query(query)]
    if not reasons.is_whole(p, 1, limits.MAX_INTEGER // limits.MAX_LIMIT):
        problems.append(Problem("p", "out_of_range", "must be a whole number from 1"))
    if problems:
        raise InvalidQuery(*problems)
    found = await users.search(query, limit=size, offset=(p - 1) * size)
    return found, await users.count(query)


async def search_after(
    after: UserId | None,
    *,
    username: str | None = None,
    username_prefix: str | None = None,
    email: str | None = None,
    email_prefix: str | None = None,
    active: bool | None = None,
    permission: str | None = None,
    size: int,
    users: UserStore,
    policy: Policy,
) -> list[User]:
    """Return the next ``size`` users found after this id, in order of their ids. Raises `InvalidQuery`."""
    query = UserQuery(
        username_contains=_fragment(username, username_fragment),
        username_prefix=_fragment(username_prefix, username_fragment),
        email_contains=_fragment(email, email_fragment),
        email_prefix=_fragment(email_prefix, email_fragment),
        active=active,
        permission=permission,
    )
    problems = [*_wrong_size(size, policy), *_wrong_query(query)]
    if after is not None and not checks.is_text(after, limits.MAX_ID):
        problems.append(Problem("after", "invalid", "must be the id of a user"))
    if problems:
        raise InvalidQuery(*problems)
    return await users.search(query, limit=size, after=after)


def _fragment(text: str | None, fold: Callable[[str], str]) -> str | None:
    """Fold what can be folded; the query's check refuses the rest."""
    return fold(text) if checks.is_text(text) and text is not None else text


def _wrong_query(query: UserQuery) -> tuple[Problem, ...]:
    try:
        checks.check_query(query)
    except InvalidValue as error:
        return error.problems
    return ()


def _wrong_size(size: int, policy: Policy) -> tuple[Problem, ...]:
    if reasons.is_whole(size, 1, policy.max_page_size):
        return ()
    return (Problem("size", "out_of_range", f"must be a whole number, 1..{policy.max_page_size}"),)
