"""Sample users of a store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any, Final, Unpack

import attrs

from authx_contract.basics.expect import same
from authx_core.domain import IdentifierTaken, Secret, SocialIdentity, User, UserFields, UserId, UserQuery, uuid7_text
from authx_core.ports import UserStore

EVERYBODY: Final = UserQuery()
KINDS: Final = ("email", "username", "identities")
AWKWARD: Final = (
    "jose", "Jose", "josé", "jose\u0301", "jose ", " jose", "jose\t", "jo\u200bse", "joſe", "i", "ı", "I", "İ",
    "ß", "ss", "σ", "ς", "😀", "😁", "ａ", "a", "ﬁ", "fi",
    "a%", "a_", "a'", 'a"', "a\\", "a:b", "a/b", "\uffff", "\U0010ffff",
)  # fmt: skip
"""Texts that all differ by code point, though some look or sort alike."""
_START: Final = datetime(2026, 1, 1, 9, 30, 0, 123_457, timezone.utc)
_STEP: Final = timedelta(milliseconds=7, microseconds=13)
_numbers: Final = count(1)


class _Fields(UserFields, total=False):
    id: UserId


def make_user(**fields: Unpack[_Fields]) -> User:
    """Make a user with a unique id and creation time, and only the given fields."""
    instant = _START + next(_numbers) * _STEP
    return attrs.evolve(User(id=uuid7_text(instant), created_at=instant), **fields)


def full_user(name: str) -> User:
    """Make a user with all fields, and keys made from this name."""
    user = make_user(
        email=f"{name.title()}@Example.com",
        email_key=f"{name}@example.com",
        username=name.title(),
        username_key=name,
        password_hash=Secret(f"$made-up${name}"),
        active=False,
        confirmed=True,
        permissions=frozenset({"read", f"write:{name}"}),
        identities=(SocialIdentity("github", f"{name}-2"), SocialIdentity("google", f"{name}-1")),
        extra={"name": name, "tags": ["a", {"deep": None}], "score": 1.5, "ok": True},
        epoch=3,
    )
    return attrs.evolve(user, last_login=user.created_at + _STEP)


def with_key(kind: str, key: str) -> Any:
    """Return the fields, of a `User` or `UserChanges`, that claim a key of this kind."""
    match kind:
        case "email":
            return {"email": key, "email_key": key}
        case "username":
            return {"username": key, "username_key": key}
        case _:
            return {"identities": (SocialIdentity("provider", key),)}


async def by_key(store: UserStore, kind: str, key: str) -> User | None:
    """Look up a key of this kind."""
    match kind:
        case "email":
            return await store.get_by_email(key)
        case "username":
            return await store.get_by_username(key)
        case _:
            return await store.get_by_social("provider", key)


async def ids(store: UserStore, query: UserQuery = EVERYBODY) -> list[UserId]:
    """Return the ids of all users that a query finds, in the order of the store."""
    return [user.id for user in await store.search(query, limit=1000)]


async def warm(store: UserStore) -> None:
    """Use a handle once."""
    await store.get("warm")


def one_winner(results: Iterable[object], kind: str, meaning: str) -> User:
    """Return the only `User` among the results; the others must be `IdentifierTaken` with this field."""
    results = list(results)
    winners = [result for result in results if isinstance(result, User)]
    losers = [result for result in results if isinstance(result, IdentifierTaken)]
    same((len(winners), len(losers)), (1, len(results) - 1), f"{meaning}: {results!r:.300}")
    same(
        {loser.fields for loser in losers},
        {frozenset({kind})},
        f"{meaning}: the error of a loser names the wrong field",
    )
    return winners[0]
