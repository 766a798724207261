"""Hostile texts and values, and the outcome of each in an adapter."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from authx_core import AuthxError, IdentifierTaken, SocialIdentity, User, UserQuery
from authx_core.domain import InvalidInput, limits
from authx_core.ports import Cache, UserStore

NOW: Final = datetime(2026, 1, 1, tzinfo=timezone.utc)
MINUTE: Final = timedelta(minutes=1)
EARLIEST: Final = datetime.min.replace(tzinfo=timezone.utc)
LATEST: Final = datetime.max.replace(tzinfo=timezone.utc)
EAST, WEST = timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))
INSTANTS: Final = (
    EARLIEST, LATEST, EARLIEST + timedelta(microseconds=1), LATEST - timedelta(microseconds=1),
    datetime.min.replace(tzinfo=EAST), datetime.max.replace(tzinfo=WEST),
    datetime.min.replace(tzinfo=WEST), datetime.max.replace(tzinfo=EAST),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, timezone.utc), datetime(2038, 1, 19, 3, 14, 8, 1, timezone.utc),
)  # fmt: skip
"""The earliest and latest instants, some that overflow in UTC, and some at the limits of 32 bits."""

CODE: Final = (
    '{"$gt": ""}', "$where", "$username_key", "$$ROOT", "a.b", "%", "_", "a%", "a_c", "abc", "a\\", "\\", "\\%", "\\0",
    ".*", "^a", "(", "[a-z]", "*", "?", "'", '"', "`", "''", "'; DROP TABLE authx_users; --", "%s", "%(id)s", ":id",
    "{}", "{tag}a", "{tag}b", "\r\n", "\n", "\t", "\x01", "\x1a", "\x7f", "\\u0000", "null", "true", "[]", "_id",
)  # fmt: skip
"""Texts with a meaning in a query language, a pattern, a protocol or JSON."""
LOOKALIKES: Final = (
    "mike", "mıke", "MIKE", "mİke", "s", "ss", "ß", "ẞ", "ſ", "admin", "admin ", "admin\u00a0", " admin", "admin\u200b",
    "0", "00", "0.0", "0e0", "-0", "0x0", "😀", "😁", "😀😁", "👩‍👩‍👧", "👩👩👧", "josé", "jose\u0301", "jose",
    "ａ", "a", "ﬁ", "fi", "σ", "ς", "æ", "ae", "ä", "a\u0308", "Å", "\u212b", "\ufeffa", "\uffff", "\U0010ffff",
)  # fmt: skip
"""Texts that are all different, though some collations call them equal."""
REFUSED: Final = ("", "\0", "a\0b", "\ud800", "\udc00a", "x" * 2**20, "😀" * 2**20)
LONG: Final = tuple(character * length for character in "x😀" for length in (254, 255, 256, 512, 513))
TEXTS: Final = (*CODE, *LOOKALIKES, *REFUSED, *LONG)
OBJECTS: Final[tuple[Any, ...]] = ({"$gt": ""}, {"$ne": None}, ["a"], re.compile(".*"), 0, True, b"a", None)
"""Values of another type that the JSON of a request may have in place of a text."""
VALUES: Final = (
    "1", "+1", " 1", "1\n", "1_0", "01", "1.0", "1e3", "١", "9223372036854775806", "9223372036854775807",
    "9223372036854775808", "-9223372036854775807", "-9223372036854775808", "9" * 30, "x" * 2**20, "😀" * 2**20,
    "x" * (2**20 + 1), "",
)  # fmt: skip
"""Cache values: numbers, texts that only look like numbers, and the longest texts."""
FIELDS: Final = ("id", "username_contains", "username_prefix", "email_contains", "email_prefix", "permission")


def label(value: object) -> str:
    return f"{value!a:.30} of {len(value)}" if isinstance(value, str) and len(value) > 30 else ascii(value)


async def outcome(call: Awaitable[object]) -> object:
    """Return a call's result or error in a form that can be compared and shown."""
    try:
        result = await call
    except InvalidInput as error:
        return type(error), {(problem.field, problem.code) for problem in error.problems}
    except IdentifierTaken as error:
        return type(error), error.fields
    except AuthxError as error:
        return type(error)
    return shown(result) if isinstance(result, str) else result


def shown(text: str) -> str:
    """Return a short form of a text that may be too long to show."""
    return f"{label(text)} {hash(text)}"


class Outcomes(dict[str, object]):
    """The outcome of each call, by its name and argument."""

    async def note(self, name: str, value: object, call: Awaitable[object]) -> None:
        name = f"{name} {label(value)}"
        assert name not in self, "two calls have the same name"
        self[name] = await outcome(call)


async def of_users(store: UserStore) -> Outcomes:
    """Store each text in every field of a user, then look for it and for values of other types."""
    outcomes = Outcomes()
    for number, text in enumerate(TEXTS):
        await outcomes.note("create", text, store.create(_made_of(f"user {number}", text)))
        await outcomes.note("create the id", text, store.create(User(id=text, created_at=NOW)))
        await outcomes.note("create again", text, store.create(_made_of(f"twin {number}", text)))
    for number, given in enumerate([*TEXTS, *OBJECTS]):
        await _look_for(given, f"user {number}", store, outcomes)
    return outcomes


async def _look_for(given: Any, user_id: str, store: UserStore, outcomes: Outcomes) -> None:
    await outcomes.note("get", given, store.get(given))
    await outcomes.note("get_by_email", given, store.get_by_email(given))
    await outcomes.note("get_by_username", given, store.get_by_username(given))
    await outcomes.note("get_by_social", given, store.get_by_social(given, given))
    for field in FIELDS:
        query: dict[str, Any] = {field: given}
        await outcomes.note(f"search by {field}", given, _ids(store, UserQuery(**query)))
    await outcomes.note("search after", given, _ids(store, UserQuery(), after=given))
    same: Any = {"username": given, "email_key": given}
    await outcomes.note("update", given, store.update(user_id, {"active": False}, expected=same))
    await outcomes.note("update the id", given, store.update(given, {"username": given}, expected={"username": None}))
    await outcomes.note("delete", given, store.delete(given))


async def of_instants(store: UserStore) -> Outcomes:
    """Store each instant in a user and as the blackout."""
    outcomes = Outcomes()
    for instant in INSTANTS:
        user = User(id=f"{instant}", created_at=instant, last_login=instant)
        await outcomes.note("create", instant, store.create(user))
        await outcomes.note("get", instant, store.get(user.id))
        await outcomes.note("expect", instant, store.update(user.id, {}, expected={"created_at": instant}))
        await outcomes.note("set_blackout", instant, store.set_blackout(instant))
        await outcomes.note("get_blackout", instant, store.get_blackout())
        await outcomes.note("lift", instant, store.set_blackout(None))
    return outcomes


async def of_entries(cache: Cache) -> Outcomes:
    """Store each text as a key and as a value, then read, increment and delete it."""
    outcomes = Outcomes()
    for text in TEXTS:
        await outcomes.note("set", text, cache.set(text, text, ttl=MINUTE))
    for text in TEXTS:
        await outcomes.note("add", text, cache.add(text, "another", ttl=MINUTE))
        await outcomes.note("get", text, cache.get(text))
        await outcomes.note("count", text, cache.increment(text, ttl=MINUTE))
        await outcomes.note("delete", text, cache.delete(text))
        await outcomes.note("delete again", text, cache.delete(text))
    for value in VALUES:
        await outcomes.note("set to", value, cache.set("key", value, ttl=MINUTE))
        await outcomes.note("count from", value, cache.increment("key", ttl=MINUTE))
        await outcomes.note("count back from", value, cache.increment("key", by=-3, ttl=MINUTE))
        await outcomes.note("pop", value, cache.pop("key"))
    return outcomes


def _made_of(user_id: str, text: str) -> User:
    return User(
        id=user_id,
        email=text,
        email_key=text,
        username=text,
        username_key=text,
        password_hash=text,
        permissions=frozenset({text, "read"}),
        identities=(SocialIdentity(text, text), SocialIdentity(text, user_id), SocialIdentity(user_id, text)),
        created_at=NOW,
        extra={text: {text: [text]}},
    )


async def _ids(store: UserStore, query: UserQuery, *, after: Any = None) -> list[str]:
    return [user.id for user in await store.search(query, limit=limits.MAX_LIMIT, after=after)]
