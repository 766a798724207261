"""Links that are mailed: the cache keeps only a digest of the token and the `Link` that it stands for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Final, Literal, TypeAlias

import attrs

from authx_core.domain.clients import text_key
from authx_core.domain.lifetimes import SHORTEST
from authx_core.domain.link import Link
from authx_core.domain.secret import Secret
from authx_core.domain.token import LinkToken, why_no_token
from authx_core.domain.user import User
from authx_core.ports import Cache

_LIVE: Final = 8
"""Links of one kind that a user has at a time."""
Purpose: TypeAlias = Literal["confirm", "reset"]


async def keep(purpose: Purpose, token: LinkToken, user: User | None, lifetime: timedelta, *, cache: Cache) -> None:
    """Keep the digest of a token. Without a user the same work is done for a link that opens nothing.

    A user has eight live links of a kind, and the next one voids the oldest: in a cache that evicts entries when it is
    full, a flood of one user's links does not evict another's.
    """
    link = Link(user.id, user.email, user.epoch) if user else Link(None, None, 0)
    value = json.dumps(attrs.astuple(link))
    ttl = lifetime if user else SHORTEST
    key = _key(purpose, token)
    ring = f"{purpose}:links:{text_key(user.id) if user else token.digest()}"
    place = f"{ring}:{await cache.increment(ring, ttl=ttl) % _LIVE}"
    await cache.delete(await cache.pop(place) or place)
    await cache.set(place, key, ttl=ttl)
    await cache.set(key, value, ttl=ttl)


async def follow(purpose: Purpose, token: Secret, *, cache: Cache) -> Link | None:
    """Return the link of a token while it lives. Looking spends nothing: mail scanners open links."""
    if why_no_token(token.reveal()):
        return None
    value = await cache.get(_key(purpose, token))
    return Link(*json.loads(value)) if value else None


def _key(purpose: Purpose, token: Secret) -> str:
    return f"{purpose}:{token.digest()}"
