"""Rate limits, and the guard of logins."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from authx_core.domain.canonical import email_key, username_key
from authx_core.domain.clients import client_key, text_key
from authx_core.domain.errors import CacheUnavailable, InvalidValue, Problem
from authx_core.domain.events import BruteForceDetected
from authx_core.domain.lifetimes import lifetime
from authx_core.domain.limits import MAX_CACHE_KEY
from authx_core.domain.policy import Policy
from authx_core.domain.reasons import why_not_text
from authx_core.ports import Cache, Events

_LIMIT: Final = "limit:"
_OWN: Final = "app:"


async def within_own_limit(key: str, limit: int, window: float | timedelta, *, cache: Cache, policy: Policy) -> bool:
    """Count a call under a key of the application, in a namespace of its own; otherwise like `within_limit`."""
    reason = why_not_text(key, MAX_CACHE_KEY - len(_OWN + _LIMIT))
    if reason:
        raise InvalidValue(Problem("key", "invalid", reason))
    return await within_limit(f"{_OWN}{key}", limit, window, cache=cache, policy=policy)


async def within_limit(key: str, limit: int, window: float | timedelta, *, cache: Cache, policy: Policy) -> bool:
    """Count a call; True for exactly ``limit`` calls in ``window`` (seconds or a timedelta), also in parallel.

    The window begins with the first call and is not prolonged by later ones. Without a cache, the policy decides.
    Raises `InvalidValue`, `CacheUnavailable`.
    """
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise InvalidValue(Problem("limit", "invalid", "must be a whole number"))
    span = lifetime(window, "timeout")
    count = await _count(f"{_LIMIT}{key}", span, cache=cache, policy=policy)
    return count is None or count <= limit


async def is_bruteforce(ip: str | None, login: str, *, cache: Cache, events: Events, policy: Policy) -> bool:
    """Count an attempt of this client and for this login; True once either is over its limit.

    Further hits do not prolong a lock, and only the first of them is published. ``ip`` None counts the login alone.
    """
    by_client = by_login = None
    if ip is not None:
        key = f"login:client:{client_key(ip) if isinstance(ip, str) else text_key(repr(type(ip)))}"
        by_client = await _count(key, policy.login_client_timeout, cache=cache, policy=policy)
    known, key = _login_key(login)
    by_login = await _count(key, policy.login_timeout, cache=cache, policy=policy)
    if by_client == policy.login_client_max + 1:
        await events.publish(BruteForceDetected(ip=ip, login=None))
    if by_login == policy.login_max + 1:
        await events.publish(BruteForceDetected(ip=ip, login=known))
    return (by_client or 0) > policy.login_client_max or (by_login or 0) > policy.login_max


async def forget_attempts(login: str, *, cache: Cache) -> None:
    """Start the count for a login anew, since its owner has just logged in (NIST SP 800-63B-4, section 3.2.2)."""
    try:
        await cache.delete(_login_key(login)[1])
    except CacheUnavailable:
        return  # the count ends by itself


def _login_key(login: str) -> tuple[str | None, str]:
    """Return the canonical login, or None if no user can have it, and the key of its counter."""
    if not isinstance(login, str):
        return None, "login:name:"
    try:
        known = email_key(login) if "@" in login else username_key(login)
    except InvalidValue:
        return None, f"login:name:{text_key(login)}"
    return known, f"login:name:{text_key(known)}"


async def _count(key: str, window: timedelta, *, cache: Cache, policy: Policy) -> int | None:
    """Count a hit; None if the cache cannot be reached and the policy lets everybody through."""
    try:
        return await cache.increment(key, ttl=window)
    except CacheUnavailable:
        if policy.without_cache == "admit":
            return None
        raise
