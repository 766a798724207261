"""What is kept of a link that was mailed: nothing that opens it, only a digest and what it is bound to."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Final, Literal, TypeAlias

import attrs

from authx_core.domain import checks
from authx_core.domain.errors import InvalidValue, Problem
from authx_core.domain.secret import Secret
from authx_core.domain.user import User, UserId
from authx_core.ports import Cache

MIN_TOKEN: Final = 22
"""Characters of URL-safe base64 that hold 128 bits (OWASP ASVS 4, 2.6.2: at least 112)."""
MAX_TOKEN: Final = 1024
Purpose: TypeAlias = Literal["confirm", "reset"]


@attrs.frozen
class Link:
    """Whom a token speaks for: a user, the address that it was sent to, and the epoch it was made in."""

    user_id: UserId | None
    email: str | None
    epoch: int


def new_token() -> Secret:
    """Make a token of 256 bits, URL-safe."""
    return Secret(secrets.token_urlsafe(32))


def check_token(token: Secret) -> None:
    """Refuse a token that could be guessed or is no text. Raises `InvalidValue`."""
    if reason := _wrong(token):
        raise InvalidValue(Problem("token", "invalid", reason))


async def keep(purpose: Purpose, token: Secret, user: User | None, lifetime: timedelta, *, cache: Cache) -> None:
    """Keep the digest of a token; for nobody, the same work is done for a link that opens nothing."""
    link = Link(user.id, user.email, user.epoch) if user else Link(None, None, 0)
    value = json.dumps(attrs.astuple(link))
    await cache.set(_key(purpose, token), value, ttl=lifetime if user else timedelta(milliseconds=1))


async def follow(purpose: Purpose, token: Secret, *, cache: Cache) -> Link | None:
    """Return what a token is bound to while it lives. Looking spends nothing: mail scanners open links."""
    if _wrong(token):
        return None
    value = await cache.get(_key(purpose, token))
    return Link(*json.loads(value)) if value else None


def _wrong(token: Secret) -> str | None:
    reason = checks.text(token.reveal(), MAX_TOKEN)
    if not reason and len(token.reveal()) < MIN_TOKEN:
        return f"must have at least {MIN_TOKEN} characters, or it could be guessed"
    return reason


def _key(purpose: Purpose, token: Secret) -> str:
    return f"{purpose}:{token.digest()}"
