"""Passwords, and how to get in again without one."""

from __future__ import annotations

from typing import Final, Literal

from authx_core.domain.errors import InvalidPassword, InvalidToken, StaleUser, UserNotFound
from authx_core.domain.events import PasswordChanged, PasswordResetRequested, TokenRefused
from authx_core.domain.next import NEXT
from authx_core.domain.password import check_password
from authx_core.domain.policy import Policy
from authx_core.domain.secret import Secret
from authx_core.domain.user import User, UserChanges, UserId
from authx_core.ports import Cache, Events, PasswordHasher, UserStore
from authx_core.use_cases import _links
from authx_core.use_cases._change import change, existing, find, well_formed
from authx_core.use_cases.crud import hashed
from authx_core.use_cases.protection import within_limit

_NAMES: Final = ("email", "username")
"""A password must not be one of them, also if they change while it is hashed."""


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
    seen = await existing(user_id, users=users)
    _check(password, seen, policy)
    password_hash = await hashed(password, hasher=hasher, policy=policy)

    def decide(user: User) -> UserChanges:
        _check(password, user, policy)
        return {"password_hash": password_hash, "epoch": NEXT}

    _, after = await change(user_id, decide, users=users, watch=_NAMES, seen=seen)
    await events.publish(PasswordChanged(user=after, how="set"))
    return after


async def is_password_reset_available(user_id: UserId, *, cache: Cache, policy: Policy) -> bool:
    """Count a request; True for at most ``policy.reset_max`` in ``policy.reset_timeout``."""
    key = f"reset:{well_formed(user_id)}"
    return await within_limit(key, policy.reset_max, policy.reset_timeout, cache=cache, policy=policy)


async def set_password_reset_token(
    user_id: UserId, token: Secret, *, users: UserStore, cache: Cache, events: Events, policy: Policy
) -> None:
    """Keep the digest of a token with the user's epoch for ``policy.reset_lifetime``, and tell of it.

    For a blacklisted user the answer and the work are the same, but the link opens nothing, then or later, and nobody
    is told; nor is anybody told of a user without an address to send it to. Raises `UserNotFound`; `InvalidValue` for
    a token that could be guessed.
    """
    _links.check_token(token)
    user = await existing(user_id, users=users)
    await _links.keep("reset", token, user if user.active else None, policy.reset_lifetime, cache=cache)
    if user.active and user.email is not None:
        await events.publish(PasswordResetRequested(user=user, token=token))


async def get_id_for_password_reset(token: Secret, *, users: UserStore, cache: Cache, events: Events) -> UserId | None:
    """Return the id while the token is good, and tell of one that is not; looking does not spend it."""
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
    _check(password, user, policy)
    password_hash = await hashed(password, hasher=hasher, policy=policy)

    def decide(user: User) -> UserChanges:
        if not _opens(link, user):
            raise InvalidToken
        _check(password, user, policy)
        return {"password_hash": password_hash, "epoch": NEXT, "confirmed": user.email is not None}

    try:
        _, after = await change(user.id, decide, users=users, watch=("epoch", "active", *_NAMES), seen=user)
    except (InvalidToken, UserNotFound, StaleUser):
        await events.publish(_refused(link))
        raise InvalidToken from None
    await events.publish(PasswordChanged(user=after, how="reset"))
    return after


async def _followed(token: Secret, *, users: UserStore, cache: Cache) -> tuple[_links.Link | None, User | None]:
    """Return the link that a token stands for, and its user if it opens anything."""
    link = await _links.follow("reset", token, cache=cache)
    if link is None or link.user_id is None:
        return link, None
    user = await find(link.user_id, users=users)
    return link, user if user and _opens(link, user) else None


def _refused(link: _links.Link | None) -> TokenRefused:
    return TokenRefused(purpose="reset", user_id=link.user_id if link else None)


def _opens(link: _links.Link, user: User) -> bool:
    """Whether nothing has happened since that voids reset links: the mailbox may be a stranger's by now."""
    return user.active and user.epoch == link.epoch and user.email == link.email


def _check(password: Secret, user: User, policy: Policy) -> None:
    """Refuse a password by the policy, which goes by the user's names too. Raises `InvalidPassword`."""
    names = (user.email, user.email_key, user.username, user.username_key)
    if problems := check_password(password, policy, known=names):
        raise InvalidPassword(*problems)
