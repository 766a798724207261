"""Proof that an address is the person's."""

from __future__ import annotations

from functools import partial

from authx_core.domain import transitions
from authx_core.domain.errors import UserNotFound
from authx_core.domain.events import EmailConfirmationRequested, EmailConfirmed, TokenRefused
from authx_core.domain.link import Link
from authx_core.domain.policy import Policy
from authx_core.domain.secret import Secret
from authx_core.domain.token import checked_token, new_token
from authx_core.domain.user import UserId
from authx_core.ports import Cache, Events, UserStore
from authx_core.use_cases import links
from authx_core.use_cases.change import change
from authx_core.use_cases.lookup import get_by_email, well_formed
from authx_core.use_cases.protection import within_limit


async def is_email_confirmation_available(user_id: UserId, *, cache: Cache, policy: Policy) -> bool:
    """Count a request; True for at most ``policy.confirmation_max`` in ``policy.confirmation_timeout``."""
    key = f"confirmation:{well_formed(user_id)}"
    return await within_limit(key, policy.confirmation_max, policy.confirmation_timeout, cache=cache, policy=policy)


async def request_email_confirmation(
    email: str, token: Secret | None, *, users: UserStore, cache: Cache, events: Events, policy: Policy
) -> str:
    """Keep a token for the user with this address, publish it, and return it.

    For an unknown address, or a blacklisted user's, the result and the work are the same, but nothing is published.
    Raises `InvalidValue` for a token that could be guessed.
    """
    ready = new_token() if token is None else checked_token(token)
    user = await get_by_email(email, users=users)
    if user is not None and not user.active:
        user = None
    await links.keep("confirm", ready, user, policy.confirmation_lifetime, cache=cache)
    if user is not None:
        await events.publish(EmailConfirmationRequested(user=user, token=ready))
    return ready.reveal()


async def confirm_email(token: Secret, *, users: UserStore, cache: Cache, events: Events) -> bool:
    """Confirm the address that the token was sent to; True again while the token lives, which changes nothing.

    False, with `TokenRefused`, for an unknown token, an address that was changed since, and a blacklisted or deleted
    user.
    """
    link = await links.follow("confirm", token, cache=cache)
    confirmed = link is not None and await _confirm(link, users=users, events=events)
    if not confirmed:
        await events.publish(TokenRefused(purpose="confirm", user_id=link.user_id if link else None))
    return confirmed


async def _confirm(link: Link, *, users: UserStore, events: Events) -> bool:
    if link.user_id is None:
        return False
    transition = partial(transitions.confirmed, link=link)
    try:
        before, after = await change(link.user_id, transition, users=users, watch=("email", "active", "confirmed"))
    except UserNotFound:
        return False
    if after is not before:
        await events.publish(EmailConfirmed(user=after))
    return after.confirmed and link.may_confirm(after)
