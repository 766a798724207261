"""Log a user in: the only place that compares a password."""

from __future__ import annotations

import logging
from typing import Final, Literal, TypeAlias

from authx_core.domain import transitions
from authx_core.domain.errors import (
    InvalidPassword,
    PortUnavailable,
    StaleUser,
    TooManyAttempts,
    UnknownHash,
    UserNotFound,
)
from authx_core.domain.events import LoggedIn, LoginFailed
from authx_core.domain.password import PreparedPassword, prepared
from authx_core.domain.policy import Policy
from authx_core.domain.secret import Secret
from authx_core.domain.showing import shown
from authx_core.domain.user import User, UserFields
from authx_core.ports import Cache, Events, PasswordHasher, UserStore, Verification
from authx_core.use_cases.hashing import hashed
from authx_core.use_cases.lookup import get_by_login
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
    user = await _evaluate(found, password, users=users, hasher=hasher, policy=policy)
    if not isinstance(user, User):
        known = None if found is None or user == "unknown" else found.id
        await events.publish(LoginFailed(user_id=known, ip=ip, reason=user))
        return None
    await forget_attempts(login, cache=cache)
    await events.publish(LoggedIn(user=user, ip=ip))
    return user


async def _evaluate(
    user: User | None, password: Secret, *, users: UserStore, hasher: PasswordHasher, policy: Policy
) -> User | _Failure:
    """Return the user as stored after the password was found right, or the reason why nobody logs in."""
    try:
        ready = prepared(password, policy)
    except InvalidPassword:  # no user can have it: refused at once, whether the login is known or not
        return "password" if user else "unknown"
    if user is None:
        await hashed(ready, hasher=hasher)
        return "unknown"
    for _ in range(_EVALUATIONS):
        verification = await _judge(user, ready, hasher=hasher)
        if not verification.ok:
            return "password"
        if not user.active:
            return "blacklisted"
        renewed = await _renew(user, ready, users=users, hasher=hasher) if verification.outdated else None
        now = renewed or await users.get(user.id)
        if now is None:
            return "unknown"
        if renewed or now.password_hash == user.password_hash:
            return now if now.active else "blacklisted"
        user = now
    return "password"


async def _judge(user: User, password: PreparedPassword, *, hasher: PasswordHasher) -> Verification:
    """Compare a password with the user's. A user without a verifiable hash costs as much hashing as any other."""
    if user.password_hash is not None:
        try:
            return await hasher.verify(password.reveal(), user.password_hash.reveal())
        except UnknownHash:
            _log.error("the password hash of user %s is of no accepted scheme", shown(user.id))
    await hashed(password, hasher=hasher)
    return Verification(ok=False)


async def _renew(user: User, password: PreparedPassword, *, users: UserStore, hasher: PasswordHasher) -> User | None:
    """Hash by the current scheme and return the user; None if the user changed meanwhile, or a port fails."""
    try:
        changes = transitions.rehashed(await hashed(password, hasher=hasher))
        expected: UserFields = {"password_hash": user.password_hash, "active": True}
        return await users.update(user.id, changes, expected=expected)
    except (StaleUser, UserNotFound):
        return None
    except PortUnavailable as error:
        _log.warning("the password hash of user %s stays outdated: %s", shown(user.id), error)
        return None
