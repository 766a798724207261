"""Passwords, and mailed links that reset them."""

from __future__ import annotations

from functools import partial
from typing import Final, Literal

from authx_core.domain import transitions
from authx_core.domain.errors import InvalidToken, StaleUser, UserNotFound
from authx_core.domain.events import PasswordChanged, PasswordResetRequested, TokenRefused
from authx_core.domain.link import Link
from authx_core.domain.password import accepted
from authx_core.domain.policy import Policy
from authx_core.domain.secret import Secret
from authx_core.domain.token import checked_token
from authx_core.domain.user import User, UserId
from authx_core.ports import Cache, Events, PasswordHasher, UserStore
from authx_core.use_cases import links
from authx_core.use_cases.change import change
from authx_core.use_cases.hashing import hashed
from authx_core.use_cases.lookup import existing, get, well_formed
from authx_core.use_cases.protection import within_limit

_NAMES: Final = ("email", "username")
"""A password must not be one of them, even if they change while it is hashed."""


async def get_password_status(user_id: UserId, *, users: UserStore) -> Literal["set", "change"]:
    """Say what the person can do: ``set`` a first password (a social account has none), or ``change`` it."""
    user = await existing(user_id, users=users)
    return "set" if user.password_hash is None else "change"


async def set_password(
    user_id: UserId,
    password: Secret,
    *,
    users: UserStore,
    hasher: PasswordHasher,
    events: Events,
    policy: Policy,
) -> User:
    """Give a user another password; every token and reset link issued before is void.

    Raises `UserNotFound`; `InvalidPassword` with every reason.
    """
    user = await existing(user_id, users=users)
    ready = accepted(password, policy, names=user.names)
    password_hash = await hashed(ready, hasher=hasher)
    transition = partial(transitions.given_password, password=ready, password_hash=password_hash)
    _, after = await change(user, transition, users=users, watch=_NAMES)
    await events.publish(PasswordChanged(user=after, how="set"))
    return after


async def is_password_reset_available(user_id: UserId, *, cache: Cache, policy: Policy) -> bool:
    """Count a request; True for at most ``policy.reset_max`` in ``policy.reset_timeout``."""
    key = f"reset:{well_formed(user_id)}"
    return await within_limit(key, policy.reset_max, policy.reset_timeout, cache=cache, policy=policy)


async def set_password_reset_token(
    user_id: UserId, token: Secret, *, users: UserStore, cache: Cache, events: Events, policy: Policy
) -> None:
    """Keep the digest of a token with the user's epoch for ``policy.reset_lifetime``, and publish the token.

    For a blacklisted user the answer and the work are the same, but the link opens nothing, then or later, and no event
    is published; nor is one for a user without an address. Raises `UserNotFound`; `InvalidValue` for a token that could
    be guessed.
    """
    ready = checked_token(token)
    user = await existing(user_id, users=users)
    await links.keep("reset", ready, user if user.active else None, policy.reset_lifetime, cache=cache)
    if user.active and user.email is not None:
        await events.publish(PasswordResetRequested(user=user, token=ready))


async def get_id_for_password_reset(token: Secret, *, users: UserStore, cache: Cache, events: Events) -> UserId | None:
    """Return the id while the token is good, else publish `TokenRefused`; looking does not spend it."""
    link, user = await _followed(token, users=users, cache=cache)
    if user is None:
        await events.publish(_refused(link))
    return user.id if user else None


async def reset_password(
    token: Secret,
    password: Secret,
    *,
    users: UserStore,
    cache: Cache,
    hasher: PasswordHasher,
    events: Events,
    policy: Policy,
) -> User:
    """Spend a reset link on a new password: exactly one of several concurrent callers wins.

    The address that the link was sent to counts as confirmed. Raises `InvalidToken`; `InvalidPassword` with every
    reason, and then the link is still good.
    """
    link, user = await _followed(token, users=users, cache=cache)
    if user is None or link is None:
        await events.publish(_refused(link))
        raise InvalidToken
    ready = accepted(password, policy, names=user.names)
    password_hash = await hashed(ready, hasher=hasher)
    transition = partial(transitions.reset, link=link, password=ready, password_hash=password_hash)
    try:
        _, after = await change(user, transition, users=users, watch=("epoch", "active", *_NAMES))
    except (InvalidToken, UserNotFound, StaleUser):
        await events.publish(_refused(link))
        raise InvalidToken from None
    await events.publish(PasswordChanged(user=after, how="reset"))
    return after


async def _followed(token: Secret, *, users: UserStore, cache: Cache) -> tuple[Link | None, User | None]:
    """Return the link of a token, and its user if it lets anybody in."""
    link = await links.follow("reset", token, cache=cache)
    if link is None or link.user_id is None:
        return link, None
    user = await get(link.user_id, users=users)
    return link, user if user and link.may_reset(user) else None


def _refused(link: Link | None) -> TokenRefused:
    return TokenRefused(purpose="reset", user_id=link.user_id if link else None)
