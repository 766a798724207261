"""Find one user."""

from __future__ import annotations

from authx_core.domain import checks
from authx_core.domain.canonical import email_key, username_key
from authx_core.domain.errors import InvalidValue, UserNotFound
from authx_core.domain.limits import MAX_ID
from authx_core.domain.user import User, UserId
from authx_core.ports import UserStore


async def get(user_id: UserId, *, users: UserStore) -> User | None:
    """Return the user with this id, or None; a malformed id is unknown. Raises `InvalidValue` if it is not text."""
    checks.check_text(id=user_id)
    return await users.get(user_id) if checks.is_text(user_id, MAX_ID) else None


async def existing(user_id: UserId, *, users: UserStore) -> User:
    """Return the user with this id. Raises `UserNotFound`."""
    user = await users.get(well_formed(user_id))
    if user is None:
        raise UserNotFound(user_id)
    return user


def well_formed(user_id: UserId) -> UserId:
    """Return the id. Raises `UserNotFound` if no user can have it, `InvalidValue` if it is not text."""
    checks.check_text(id=user_id)
    if not checks.is_text(user_id, MAX_ID):
        raise UserNotFound(user_id)
    return user_id


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
    """Return the user by an address if there is an ``@``, else by a username; or None."""
    checks.check_text(login=login)
    if "@" in login:
        return await get_by_email(login, users=users)
    return await get_by_username(login, users=users)


async def get_by_social(provider: str, subject: str, *, users: UserStore) -> User | None:
    """Return the user who linked this outside account, or None."""
    checks.check_text(provider=provider, sid=subject)
    if not (checks.is_text(provider) and checks.is_text(subject)):
        return None
    return await users.get_by_social(provider, subject)
