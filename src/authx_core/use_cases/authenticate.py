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
from authx_core.domain.user import User
from authx_core.ports import Cache, Events, PasswordHasher, UserStore, Verification
from authx_core.use_cases.crud import get_by_login
from authx_core.use_cases.protection import forget_attempts, is_bruteforce

_log: Final = logging.getLogger("authx_core")
_Outcome: TypeAlias = tuple[Literal["ok", "unknown", "password", "blacklisted"], bool]


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
    hashing as a known one. An outdated hash is renewed. Raises `TooManyAttempts`, `Overloaded`.
    """
    if await is_bruteforce(ip, login, cache=cache, events=events, policy=policy):
        raise TooManyAttempts
    user = await get_by_login(login, users=users) if isinstance(login, str) else None
    reason, outdated = await _judge(user, password, hasher=hasher, policy=policy)
    if user is None or reason != "ok":
        failure = "unknown" if reason == "ok" else reason
        await events.publish(LoginFailed(user_id=user.id if user else None, ip=ip, reason=failure))
        return None
    await forget_attempts(login, cache=cache)
    if outdated:
        user = await _renew(user, password, users=users, hasher=hasher, policy=policy)
    await events.publish(LoggedIn(user=user, ip=ip))
    return user


async def _judge(user: User | None, password: Secret, *, hasher: PasswordHasher, policy: Policy) -> _Outcome:
    ready = prepared(password, policy.password_max_bytes)
    if isinstance(ready, Problem):  # nobody can have it, so it costs nothing whoever is asked for
        return ("password" if user else "unknown"), False
    verification = Verification(ok=False)
    if user is not None and user.password_hash is not None:
        try:
            verification = await hasher.verify(ready.reveal(), user.password_hash.reveal())
        except UnknownHash:
            _log.error("the password hash of user %s is of no accepted scheme", user.id)
            await hasher.hash(ready.reveal())
    else:
        await hasher.hash(ready.reveal())
    if user is None:
        return "unknown", False
    if not verification.ok:
        return "password", False
    return ("ok" if user.active else "blacklisted"), verification.outdated


async def _renew(user: User, password: Secret, *, users: UserStore, hasher: PasswordHasher, policy: Policy) -> User:
    """Hash by the current scheme, unless the password was changed meanwhile; logging in never fails for it."""
    ready = prepared(password, policy.password_max_bytes)
    if isinstance(ready, Problem):
        return user
    try:
        renewed = Secret(await hasher.hash(ready.reveal()))
        return await users.update(user.id, {"password_hash": renewed}, expected={"password_hash": user.password_hash})
    except (StaleUser, UserNotFound, PortUnavailable) as error:
        _log.warning("the password hash of user %s stays outdated: %s", user.id, error)
        return user
