"""Who is it? The one place that compares a password."""

from __future__ import annotations

import logging
from typing import Final, Literal, TypeAlias

from authx_core.domain.errors import (
    PortUnavailable,
    Problem,
    StaleUser,
    TooManyAttempts,
    UnknownHash,
    UserNotFound,
)
from authx_core.domain.events import LoggedIn, LoginFailed
from authx_core.domain.password import prepared
from authx_core.domain.policy import Policy
from authx_core.domain.secret import Secret
from authx_core.domain.showing import shown
from authx_core.domain.user import User, UserFields
from authx_core.ports import Cache, Events, PasswordHasher, UserStore, Verification
from authx_core.use_cases.crud import get_by_login, hashed
from authx_core.use_cases.protection import forget_attempts, is_bruteforce

_log: Final = logging.getLogger("authx_core")
_Failure: TypeAlias = Literal["unknown", "password", "blacklisted"]
_EVALUATIONS: Final = 3
"""Of one login, whose hash changes meanwhile: by another login that renews it, or because the password changes."""


async def authenticate(
    login: str,
    password: Secret,
    *,
    ip: str | None,
    users: UserStore,
    cache: Cache,
    hasher: PasswordHasher,
    events: Events,
    policy: Policy,
) -> User | None:
    """Return the active user with this login and password, or None.

    Counts the attempt first and clears the login's count after a success. An unknown login costs as much
    hashing as a known one. An outdated hash is renewed. Verifying takes a while: a user who was blacklisted, deleted
    or given another password meanwhile is not logged in. Raises `TooManyAttempts`, `Overloaded`.
    """
    if await is_bruteforce(ip, login, cache=cache, events=events, policy=policy):
        await events.publish(LoginFailed(user_id=None, ip=ip, reason="locked"))
        raise TooManyAttempts
    found = await get_by_login(login, users=users) if isinstance(login, str) else None
    user = await _evaluated(found, password, users=users, hasher=hasher, policy=policy)
    if not isinstance(user, User):
        known = None if found is None or user == "unknown" else found.id
        await events.publish(LoginFailed(user_id=known, ip=ip, reason=user))
        return None
    await forget_attempts(login, cache=cache)
    await events.publish(LoggedIn(user=user, ip=ip))
    return user


async def _evaluated(
    user: User | None, password: Secret, *, users: UserStore, hasher: PasswordHasher, policy: Policy
) -> User | _Failure:
    """Return the user as stored after the password was found right, or why there is none to log in."""
    for _ in range(_EVALUATIONS):
        failure, outdated = await _judge(user, password, hasher=hasher, policy=policy)
        if user is None or failure is not None:
            return failure or "unknown"
        renewed = await _renewed(user, password, users=users, hasher=hasher, policy=policy) if outdated else None
        now = renewed or await users.get(user.id)
        if now is None:
            return "unknown"
        if renewed or now.password_hash == user.password_hash:
            return now if now.active else "blacklisted"
        user = now
    return "password"


async def _judge(
    user: User | None, password: Secret, *, hasher: PasswordHasher, policy: Policy
) -> tuple[_Failure | None, bool]:
    """Return why the user as read cannot log in, and whether the hash should be renewed."""
    ready = prepared(password, policy.password_max_bytes)
    if isinstance(ready, Problem):  # nobody can have it, so it costs nothing whoever is asked for
        return ("password" if user else "unknown"), False
    verification = Verification(ok=False)
    if user is not None and user.password_hash is not None:
        try:
            verification = await hasher.verify(ready.reveal(), user.password_hash.reveal())
        except UnknownHash:
            _log.error("the password hash of user %s is of no accepted scheme", shown(user.id))
            await hasher.hash(ready.reveal())
    else:
        await hasher.hash(ready.reveal())
    if user is None:
        return "unknown", False
    if not verification.ok:
        return "password", False
    return (None if user.active else "blacklisted"), verification.outdated


async def _renewed(
    user: User, password: Secret, *, users: UserStore, hasher: PasswordHasher, policy: Policy
) -> User | None:
    """Hash by the current scheme and return the user; None if the user changed meanwhile, or a port fails."""
    try:
        renewed = await hashed(password, hasher=hasher, policy=policy)
        expected: UserFields = {"password_hash": user.password_hash, "active": True}
        return await users.update(user.id, {"password_hash": renewed}, expected=expected)
    except (StaleUser, UserNotFound):
        return None
    except PortUnavailable as error:
        _log.warning("the password hash of user %s stays outdated: %s", shown(user.id), error)
        return None
