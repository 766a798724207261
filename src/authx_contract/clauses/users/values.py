"""Users come back as they were given; invalid values are refused."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, Final, cast

import attrs

from authx_contract.basics.expect import holds, raised, same, same_user
from authx_contract.clause import clause
from authx_contract.samples.users import EVERYBODY, by_key, full_user, ids, make_user, with_key
from authx_contract.trial import Trial
from authx_core.domain import IdentifierTaken, InvalidValue, Secret, SocialIdentity, StaleUser, User, UserChanges
from authx_core.ports import UserStore

_MALFORMED: Final = (
    "nobody", "", " ", "x" * 10_000, "nul\0", "lone\ud800", "%", "_", "00000000-0000-0000-0000-000000000000",
    7, None, b"x"
)  # fmt: skip
_NAIVE: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - the store must refuse it
_KATHMANDU: Final = timezone(timedelta(hours=5, minutes=45))
_WRONG: Final[Mapping[str, tuple[object, ...]]] = {
    "email": ("nul\0", "lone\ud800", 7, b"bytes"),
    "email_key": ("nul\0", "lone\ud800", 7),
    "username": ("nul\0", "lone\ud800", 7),
    "username_key": ("nul\0", "lone\ud800", 7),
    "password_hash": (Secret("nul\0"), Secret("lone\ud800"), Secret(cast("str", 7))),
    "active": (None, 1, "yes"),
    "confirmed": (None, 0),
    "permissions": (None, "admin", frozenset({"nul\0"}), frozenset({7})),
    "identities": (
        None, ["a"], (("provider", "subject"),), (SocialIdentity("nul\0", "a"),),
        (SocialIdentity("a", "lone\ud800"),)
    ),
    "created_at": (None, _NAIVE, 1.5, "2026-01-01"),
    "last_login": (_NAIVE, 1.5),
    "extra": (
        None, [], {"a": "nul\0"}, {"lone\ud800": 1}, {"a": [{"b": "lone\ud800"}]}, {1: 1}, {"a": b"bytes"},
        {"a": 2**64}, {"a": float("nan")},
    ),
    "epoch": (None, 0, True, 1.5),
}  # fmt: skip


@clause(
    "U-001",
    means="What a person entered comes back altered: an address, a permission or an instant is not theirs.",
    cause="A column that is missing, cut or converted; a local time stored as UTC; microseconds dropped.",
)
async def round_trip(trial: Trial) -> None:
    """`create` returns the user as stored, of version 1, and `get` returns an equal one."""
    store = await trial.users()
    for given in (full_user("ann"), attrs.evolve(full_user("bob"), version=7)):
        created = await store.create(given)
        same_user(created, attrs.evolve(given, id=created.id, version=1), "create returned another user than given")
        same_user(await store.get(created.id), created, "get returned another user than create")
    nepalese = make_user(created_at=datetime(2026, 3, 1, 1, 2, 3, 999_999, _KATHMANDU))
    created = await store.create(nepalese)
    for user in (created, await store.get(created.id)):
        same_user(user, attrs.evolve(nepalese, id=created.id), "an instant of another zone is not the same in UTC")


@clause(
    "U-002",
    means="The second person without an address or a name cannot register.",
    cause="A unique index in which an absent value is stored as empty text, or in which two nulls count as equal.",
)
async def none_stays(trial: Trial) -> None:
    """`None` stays `None`, and any number of users may lack an address, a name or a password."""
    store = await trial.users()
    for _ in range(3):
        given = make_user()
        created = await store.create(given)
        same_user(
            await store.get(created.id),
            attrs.evolve(given, id=created.id),
            "a user without optional fields came back changed",
        )
    same(await store.count(EVERYBODY), 3, "users who lack an address and a name push each other out")


@clause(
    "U-003",
    means="A request with a made-up id gets somebody's account, or an error page where there is merely nobody.",
    cause="The id is parsed or matched as a pattern, or reaches the driver unchecked: see `checks.is_text`.",
)
async def nobody(trial: Trial) -> None:
    """An unknown or malformed id or key finds nobody."""
    store = await trial.users()
    await store.create(make_user())
    await store.create(full_user("ann"))
    for wrong in cast("tuple[str, ...]", _MALFORMED):
        shown = f"{wrong!r:.20} found a user"
        same(await store.get(wrong), None, f"the id {shown}")
        same(await store.get_by_email(wrong), None, f"the address {shown}")
        same(await store.get_by_username(wrong), None, f"the username {shown}")
        same(await store.get_by_social(wrong, "ann-1"), None, f"the provider {shown}")
        same(await store.get_by_social("google", wrong), None, f"the subject {shown}")
        same(await store.delete(wrong), False, f"the id {shown} to delete")


@clause(
    "U-004",
    means="A value is stored that comes back different, or only some engines refuse it.",
    cause="`authx_core.domain.checks` is not called before the engine is.",
)
async def refused_values(trial: Trial) -> None:
    """Naive datetimes, NUL, lone surrogates and wrong types are `InvalidValue` before anything is stored."""
    store = await trial.users()
    user = await store.create(full_user("ann"))
    for field, values in _WRONG.items():
        for value in values:
            fields: Any = {field: value}
            shown = f"{field}={value!r}"
            await raised(InvalidValue, store.create(attrs.evolve(make_user(), **fields)), f"create took {shown}")
            await raised(InvalidValue, store.update(user.id, fields), f"update took {shown}")
    wrong: tuple[Any, ...] = (
        *({"id": "another"}, {"version": 7}, {"unknown": 1}),
        *({"password_hash": "plain text"}, {"permissions": ["admin"]}, {"identities": []}),
    )
    for fields in wrong:
        await raised(InvalidValue, store.update(user.id, cast("UserChanges", fields)), f"update took {fields}")
    await raised(InvalidValue, store.create(cast("User", {"id": "a"})), "create took a dict for a User")
    await raised(InvalidValue, store.set_blackout(_NAIVE), "a naive cut-off was taken")
    same(await store.count(EVERYBODY), 1, "a refused user was stored")
    same_user(await store.get(user.id), user, "a refused update changed the user")
    same(await store.get_blackout(), None, "a refused cut-off was stored")


@clause(
    "U-005",
    means="Code that edits what it has read changes the stored account without an update.",
    cause="The adapter keeps the very mapping that it was given with the changes: copy it, or keep the `User`.",
)
async def copies(trial: Trial) -> None:
    """Changing an argument or a result changes nothing stored."""
    store = await trial.users()

    def fresh() -> dict[str, Any]:
        return {"list": [1], "map": {"a": [1]}}

    async def unspoilt(*extras: Any) -> None:
        for extra in extras:
            _spoil(extra)
            user = await store.get(created.id)
            same(user and user.extra, fresh(), "changing an argument or a result changed what is stored")

    given, changed = fresh(), fresh()
    created = await store.create(make_user(username="ann", username_key="ann", extra=given))
    await unspoilt(given, created.extra)
    updated = await store.update(created.id, {"extra": changed})
    await unspoilt(changed, updated.extra)
    found = [
        await store.get(created.id),
        await store.get_by_username("ann"),
        *await store.search(EVERYBODY, limit=1),
    ]
    await unspoilt(*(user.extra for user in found if user))


@clause(
    "U-006",
    means="Whoever reads a log or an error report can attack the password offline.",
    cause="The driver's message, a statement's parameters or a repr is passed on as it is.",
)
async def no_secret_shows(trial: Trial) -> None:
    """No password hash shows in errors and their causes, `repr(store)` or log records."""
    store = await trial.users()
    text = "$argon2id$not-to-be-shown"
    secret = Secret(text)
    with _logged() as records:
        user = await store.create(attrs.evolve(full_user("ann"), password_hash=secret))
        other = await store.create(full_user("bob"))
        twin = make_user(email=user.email, email_key=user.email_key, password_hash=secret)
        surrogate = attrs.evolve(user, id=make_user().id, password_hash=Secret(text + "\ud800"))
        errors = (
            await raised(IdentifierTaken, store.create(twin), "an address was claimed twice"),
            await raised(
                IdentifierTaken,
                store.update(other.id, {"password_hash": secret, "username_key": user.username_key}),
                "a username was claimed twice",
            ),
            await raised(
                StaleUser,
                store.update(user.id, {}, expected={"password_hash": Secret(text + "x")}),
                "a wrong hash matched",
            ),
            await raised(InvalidValue, store.create(surrogate), "a hash with a lone surrogate was taken"),
        )
    shown = ["".join(traceback.format_exception(error)) for error in errors]
    shown += [repr(error) for error in errors]
    shown += [repr(store), repr(await store.get(user.id)), *records]
    for each in shown:
        holds(text not in each, f"a password hash shows: …{each[-300:].replace(text, '<HERE>')}")


@clause(
    "U-070",
    means="A long name is cut, and two people whose names begin alike are one.",
    cause="A column shorter than what the port takes, with an engine that cuts instead of refusing.",
)
async def large_values(trial: Trial) -> None:
    """The longest values come back whole, or are `InvalidValue`; they are never cut."""
    store = await trial.users()
    for character in ("x", "é", "😀"):
        for more in (0, 1):
            names, address = character * (255 + more), character * (242 + more) + "@example.com"
            await _whole_or_refused(store, make_user(username=names, username_key=names))
            await _whole_or_refused(store, make_user(email=address, email_key=address))
            await _whole_or_refused(store, make_user(permissions=frozenset({names, "short"})))
    for kind, longest in (("username", 255), ("email", 254), ("identities", 255)):
        await _last_character_counts(store, kind, "k" * (longest - 1))
    for number in (100, 101):
        many = tuple(SocialIdentity("p" * 255, f"{each:é>255}") for each in range(number))
        await _whole_or_refused(store, make_user(identities=many))
    await _whole_or_refused(store, make_user(permissions=frozenset(f"{each:x>255}" for each in range(1000))))
    for size in (64 * 1024 - 10, 64 * 1024, 128 * 1024):
        await _whole_or_refused(store, make_user(extra={"a": "x" * size}))
        await _whole_or_refused(store, make_user(extra={"a": "é" * size}))
    await _whole_or_refused(store, make_user(epoch=2**63 - 1, password_hash=Secret("h" * 1024)))


@clause(
    "U-071",
    means="What an application keeps with its users comes back changed.",
    cause="A document or JSON type with rules of its own: keys with `$` or `.`, integers as floats, `{}` as `[]`.",
)
async def json(trial: Trial) -> None:
    """`extra` keeps odd keys, nested empties, number types and integers to 64 bits, in whatever order."""
    store = await trial.users()
    extra: dict[str, Any] = {
        "$set": 1, "a.b": 2, "": 3, "é 😀 '\"\\": 4, "_id": 5,
        "__proto__": 6, "$date": "2026-01-01", "\u2028": "\u2029",
        "empties": {"map": {}, "list": [], "text": "", "none": None, "nested": [[], {}, [[]]]},
        "numbers": [0, -1, 2**53 + 1, 2**63 - 1, -(2**63), 0.1, 1.0, -0.5, 1e300, 5e-324, True, False],
    }  # fmt: skip
    for given in (extra, dict(reversed(extra.items())), {}):
        created = await store.create(make_user(extra=given))
        expected = attrs.evolve(created, extra=given)
        same_user(created, expected, "extra changed in create")
        same_user(await store.get(created.id), expected, "extra changed in the store")
        updated = await store.update(created.id, {"extra": {"replaced": given}})
        same_user(await store.get(created.id), updated, "extra changed in an update")
        same(updated.extra, {"replaced": given}, "an update merged extra instead of replacing it")


async def _whole_or_refused(store: UserStore, user: User) -> None:
    before = await ids(store)
    try:
        created = await store.create(user)
    except InvalidValue:
        same(await ids(store), before, "a refused user was stored")
    else:
        same_user(await store.get(created.id), attrs.evolve(user, id=created.id), "a large value came back changed")
        await store.delete(created.id)


async def _last_character_counts(store: UserStore, kind: str, start: str) -> None:
    """Check that two keys which differ in their last character alone find two users."""
    users = {key: await store.create(make_user(**with_key(kind, key))) for key in (start + "a", start + "b")}
    for key, user in users.items():
        same_user(await by_key(store, kind, key), user, f"a long key ({kind}) did not find its user")
        await store.delete(user.id)


def _spoil(extra: Any) -> None:
    for part in (extra, extra["list"], extra["map"], extra["map"]["a"]):
        try:
            part.clear()
        except (AttributeError, TypeError):  # frozen, which is as safe as a copy
            continue


@contextmanager
def _logged() -> Generator[list[str], None, None]:
    """Collect all log records, formatted."""
    records: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(self.format(record))

    collector = Collector()
    logging.getLogger().addHandler(collector)
    try:
        yield records
    finally:
        logging.getLogger().removeHandler(collector)
