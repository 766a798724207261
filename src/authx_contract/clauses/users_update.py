"""Updates: compare and set in one step."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Final, cast

import attrs

from authx_contract.clause import clause
from authx_contract.clauses._users import (
    EVERYBODY,
    KINDS,
    by_key,
    full_user,
    make_user,
    warm,
    with_key,
)
from authx_contract.expect import holds, raised, same, same_user
from authx_contract.races import RACERS, ROUNDS, race
from authx_contract.trial import Trial
from authx_core.domain import (
    NEXT,
    IdentifierTaken,
    InvalidValue,
    Secret,
    SocialIdentity,
    StaleUser,
    User,
    UserChanges,
    UserFields,
    UserNotFound,
    changed,
)
from authx_core.ports import UserStore

_STEPS: Final = 2
"""Updates of one racer in U-034 and U-039."""
_HIGHEST: Final = 2**63 - 1
"""The highest epoch: a signed integer of 64 bits."""


"""One caller, and several at once."""


@clause(
    "U-030",
    means="A changed address does not work for logging in, or the old one still does.",
    cause="Keys are kept beside the user and are not moved in the same step.",
)
async def update(trial: Trial) -> None:
    """`update` stores, returns version + 1, frees the old keys and claims the new."""
    store = await trial.users()
    ann, bob = await store.create(full_user("ann")), full_user("bob")
    names = [field.name for field in attrs.fields(User) if field.name not in {"id", "version"}]
    for number, name in enumerate(names, 2):
        changes: Any = {name: getattr(bob, name)}
        updated = await store.update(ann.id, changes)
        ann = attrs.evolve(ann, version=number, **changes)
        same_user(updated, ann, f"update of {name} returned another user")
        same_user(await store.get(ann.id), ann, f"update of {name} stored another user")
    same_user(await store.get_by_email("bob@example.com"), ann, "a new address was not claimed")
    same_user(await store.get_by_username("bob"), ann, "a new username was not claimed")
    same_user(await store.get_by_social("google", "bob-1"), ann, "a new identity was not claimed")
    same(await store.get_by_email("ann@example.com"), None, "an old address still finds the user")
    same(await store.get_by_username("ann"), None, "an old username still finds the user")
    same(await store.get_by_social("google", "ann-1"), None, "an old identity still finds the user")
    await store.create(full_user("ann"))
    one = ann.identities[1:]
    everything = UserChanges(email=None, email_key=None, username=None, username_key=None, identities=one)
    ann = changed(ann, everything)
    same_user(await store.update(ann.id, everything), ann, "update of several fields at once returned another user")
    same_user(await store.get(ann.id), ann, "update of several fields at once stored another user")
    same_user(await store.get_by_social(one[0].provider, one[0].subject), ann, "an identity that is kept was lost")
    await store.create(attrs.evolve(full_user("bob"), identities=bob.identities[:1]))


@clause(
    "U-031",
    means="Of two changes the later silently undoes the earlier, such as a permission that was revoked.",
    cause="The condition is not part of the statement; or rows that did not change are counted as not found.",
)
async def stale(trial: Trial) -> None:
    """A stale field is `StaleUser` and changes nothing; an update that changes nothing counts."""
    store = await trial.users()
    ann = await store.create(full_user("ann"))
    changes = UserChanges(username="Bob", username_key="bob", extra={}, epoch=9)
    for expected in (
        UserFields(version=2),
        UserFields(version=1, epoch=4),
        UserFields(active=True, email=ann.email),
    ):
        await raised(StaleUser, store.update(ann.id, changes, expected=expected), f"{expected} matched")
    same_user(await store.get(ann.id), ann, "a stale update changed the user")
    same(await store.get_by_username("bob"), None, "a stale update claimed a key")
    unchanged: tuple[UserChanges, ...] = (
        {},
        {"epoch": ann.epoch},
        {"email_key": ann.email_key, "extra": ann.extra},
    )
    for version, same_again in enumerate((*unchanged, UserChanges(identities=ann.identities)), 2):
        updated = await store.update(ann.id, same_again, expected={"version": version - 1})
        same_user(updated, attrs.evolve(ann, version=version), "an update that changes nothing did not count")


@clause(
    "U-032",
    means="An account that was deleted a moment ago comes back as a shell without a password.",
    cause="An upsert where an update is due.",
)
async def unknown(trial: Trial) -> None:
    """An unknown user is `UserNotFound` and is never created."""
    store = await trial.users()
    gone = await store.create(full_user("ann"))
    await store.delete(gone.id)
    for unknown in cast("tuple[str, ...]", (gone.id, "nobody", "", "nul\0", "lone\ud800", "x" * 10_000, 7, None)):
        for expected in (None, UserFields(), UserFields(version=1), UserFields(email=None)):
            call = store.update(unknown, {"username": "Bob", "username_key": "bob"}, expected=expected)
            await raised(UserNotFound, call, f"the id {unknown!r:.20} was updated")
    same(await store.count(EVERYBODY), 0, "an update created a user")
    same(await store.get_by_username("bob"), None, "an update of nobody claimed a key")


@clause(
    "U-033",
    means="Somebody takes over another's address by changing their own, or loses their own in trying.",
    cause="Uniqueness is enforced at creation only, or what was written before the refusal is not undone.",
)
async def taken(trial: Trial) -> None:
    """An update into another's key is `IdentifierTaken` and changes neither."""
    store = await trial.users()
    ann, bob = await store.create(full_user("ann")), await store.create(full_user("bob"))
    free = SocialIdentity("free", "1")
    takes: dict[str, UserChanges] = {
        "email": {"email": ann.email, "email_key": ann.email_key},
        "username": {"username": ann.username, "username_key": ann.username_key},
        "identities": {"identities": (free, ann.identities[1])},
    }
    for names in (("email",), ("username",), ("identities",), ("email", "username"), tuple(takes)):
        changes = UserChanges(epoch=9, extra={})
        for name in names:
            changes |= takes[name]
        error = await raised(IdentifierTaken, store.update(bob.id, changes), f"{names} of another were taken")
        same(error.fields, set(names), "not exactly the taken fields were named")
        same_user(await store.get(ann.id), ann, "an update into another's key changed the other")
        same_user(await store.get(bob.id), bob, "a refused update changed the user")
    same(await store.get_by_social("free", "1"), None, "a refused update claimed an identity")
    same_user(await store.get_by_username("bob"), bob, "a refused update freed a key")
    same_user(await store.get_by_social("github", "bob-2"), bob, "a refused update freed an identity")
    await _moves_along(store)


@clause(
    "U-034",
    level=2,
    kind="race",
    means="A failed login is not counted, or a revoked permission returns, when two requests meet.",
    cause="Comparing and writing are two steps: put the condition into the update itself.",
)
async def no_lost_update(trial: Trial) -> None:
    """Several compare-and-set loops at once lose no update."""
    stores = await trial.racing_users()

    for round_ in range(1, ROUNDS + 1):
        user = await stores[0].create(make_user(extra={"steps": 0}))

        async def add_up(store: UserStore, _: int, user: User = user) -> None:
            for _step in range(_STEPS):
                while not await _add_one(store, user.id):
                    continue

        results = await race(stores, add_up, warm=warm)
        same(results, [None] * RACERS, f"a loop failed in round {round_}")
        total = RACERS * _STEPS
        after = await stores[0].get(user.id)
        expected = attrs.evolve(user, extra={"steps": total}, version=1 + total)
        same(after, expected, "updates were lost or counted twice")


@clause(
    "U-035",
    level=2,
    kind="race",
    means="A reset link or a change that may happen once happens twice.",
    cause="Comparing and writing are two steps: put the condition into the update itself.",
)
async def one_update(trial: Trial) -> None:
    """Of several updates at once with one expected version, one wins."""
    stores = await trial.racing_users()
    user = await stores[0].create(make_user())
    for version in range(1, ROUNDS + 1):

        async def update(store: UserStore, racer: int, version: int = version) -> User:
            return await store.update(user.id, {"extra": {"winner": racer}}, expected={"version": version})

        results = await race(stores, update, warm=warm)
        winners = [result for result in results if isinstance(result, User)]
        stale = [result for result in results if isinstance(result, StaleUser)]
        same((len(winners), len(stale)), (1, RACERS - 1), f"updates that expect one version: {results!r:.300}")
        same_user(winners[0], attrs.evolve(user, version=version + 1, extra=winners[0].extra), "the winner's result")
        same_user(await stores[0].get(user.id), winners[0], "what is stored is not what the winner was told")


@clause(
    "U-037",
    means="A change that holds only while the password or the epoch is the same is made though it is not.",
    cause="`= NULL` where `IS NULL` is due; a field that is not compared; a collation in the comparison.",
)
async def every_field(trial: Trial) -> None:
    """`expected` works on every scalar field, `None` included, and on permissions; else `InvalidValue`."""
    store = await trial.users()
    full, bare = await store.create(full_user("ann")), await store.create(make_user())
    other = attrs.evolve(full_user("bob"), active=True, confirmed=False, epoch=4, version=99)
    names = [field.name for field in attrs.fields(User) if field.name not in {"id", "extra", "identities"}]
    for name in names:
        right, wrong = getattr(full, name), getattr(other, name)
        full = await _expects(store, full, name, right, (wrong, *_near(right)))
        if getattr(bare, name) is None:
            bare = await _expects(store, bare, name, None, (wrong, right))
    moved = full.created_at.astimezone(timezone(timedelta(hours=-3)))
    full = await store.update(full.id, {}, expected={"created_at": moved})
    together: Any = {name: getattr(full, name) for name in names}
    await store.update(full.id, {}, expected=together)
    refused: tuple[dict[str, object], ...] = (
        {"extra": {}},
        {"identities": ()},
        {"id": full.id},
        {"unknown": 1},
        {"epoch": "1"},
        {"password_hash": "plain text"},
        {"username": "nul\0"},
    )
    for fields in refused:
        call = store.update(full.id, {}, expected=cast("UserFields", fields))
        await raised(InvalidValue, call, f"{fields} was compared")


@clause(
    "U-038",
    means="A person who reports a stolen phone is told that it is logged out, and its tokens go on working.",
    cause="`NEXT` is taken for a value; it is counted before the comparison, or as a floating-point number.",
)
async def next_epoch(trial: Trial) -> None:
    """`NEXT` raises the epoch by one if the update is made, and is refused where it cannot rise."""
    store = await trial.users()
    ann, bob = await store.create(full_user("ann")), await store.create(full_user("bob"))
    steps: tuple[tuple[UserChanges, UserFields | None], ...] = (
        ({"epoch": NEXT}, None),
        ({"epoch": NEXT}, {"epoch": 4}),
        ({"epoch": NEXT, "active": True, "password_hash": Secret("$made-up$new")}, {"active": False}),
        ({"epoch": 9}, None),
        ({"epoch": NEXT, "identities": ann.identities[:1], "username_key": "eve"}, {}),
        ({"epoch": 2}, {"epoch": 10}),
        ({"epoch": NEXT}, {"version": 7}),
        ({"epoch": 2**53}, None),
        ({"epoch": NEXT}, None),
    )
    for changes, expected in steps:
        after = changed(ann, changes)
        ann = await store.update(ann.id, changes, expected=expected)
        same_user(ann, after, f"update by {changes} returned another user")
        same(type(ann.epoch), int, "an epoch is no int")
        same_user(await store.get(ann.id), after, f"update by {changes} stored another user")
    for stale in (UserFields(epoch=1), UserFields(version=1), UserFields(active=False, epoch=ann.epoch)):
        await raised(StaleUser, store.update(ann.id, {"epoch": NEXT}, expected=stale), f"{stale} matched")
    taken = UserChanges(epoch=NEXT, email=bob.email, email_key=bob.email_key)
    await raised(IdentifierTaken, store.update(ann.id, taken), "an address was taken with `NEXT`")
    for fields in ({"version": NEXT}, {"active": NEXT}, {"extra": {"epoch": NEXT}}):
        await raised(InvalidValue, store.update(ann.id, cast("UserChanges", fields)), f"{fields} was taken")
    call = store.update(ann.id, {"epoch": NEXT}, expected=cast("UserFields", {"epoch": NEXT}))
    await raised(InvalidValue, call, "`NEXT` was compared")
    await raised(UserNotFound, store.update("nobody", {"epoch": NEXT}), "nobody has an epoch")
    same_user(await store.get(ann.id), ann, "a refused update raised the epoch")
    await _cannot_rise(store, ann)


@clause(
    "U-039",
    level=2,
    kind="race",
    means="Of two administrators who log a person out at once one gets an error, or tokens of a lost epoch live on.",
    cause="The epoch is read and then written, or is not written with the version: let the statement itself add one.",
)
async def every_next_counts(trial: Trial) -> None:
    """Of several `NEXT`s at once each counts once, and the epoch rises together with the version."""
    stores = await trial.racing_users()
    for _ in range(ROUNDS // 2):
        user = await stores[0].create(make_user())
        told: list[int] = []

        async def kick(store: UserStore, _: int, user: User = user, told: list[int] = told) -> None:
            for _step in range(_STEPS):
                after = await store.update(user.id, {"epoch": NEXT})
                told.append(after.epoch)
                for seen in (after, await store.get(user.id)):
                    same_user(seen, attrs.evolve(user, epoch=_epoch(seen), version=_epoch(seen)), "epoch and version")
                    holds(_epoch(seen) >= after.epoch, "an epoch that was told is not there")

        results = await race(stores, kick, warm=warm)
        same(results, [None] * RACERS, "an update by `NEXT` that expects nothing was refused")
        same(sorted(told), list(range(2, 2 + RACERS * _STEPS)), "an epoch was lost, or told twice")


async def _cannot_rise(store: UserStore, user: User) -> None:
    """Check the end of 64 bits."""
    last = await store.update(user.id, {"epoch": _HIGHEST - 1})
    last = await store.update(last.id, {"epoch": NEXT})
    same(last.epoch, _HIGHEST, "the epoch before the highest did not rise to it")
    for expected in (None, UserFields(version=last.version)):
        call = store.update(last.id, {"epoch": NEXT, "active": False}, expected=expected)
        await raised(InvalidValue, call, "the highest epoch rose")
    same_user(await store.get(last.id), last, "an update whose epoch cannot rise was made in part")


def _epoch(user: User | None) -> int:
    return user.epoch if user else 0


async def _moves_along(store: UserStore) -> None:
    """Check that one's own key is not another's, and that a key that was just freed is free."""
    for kind in KINDS:
        one, two = [await store.create(make_user(**with_key(kind, key))) for key in ("1", "2")]
        one = await store.update(one.id, with_key(kind, "1"))
        one = await store.update(one.id, with_key(kind, "3"))
        two = await store.update(two.id, with_key(kind, "1"))
        for key, user in (("1", two), ("2", None), ("3", one)):
            same(await by_key(store, kind, key), user, f"after two moves {key} ({kind}) finds the wrong user")


async def _add_one(store: UserStore, user_id: str) -> bool:
    user = await store.get(user_id)
    if user is None:
        raise UserNotFound(user_id)
    steps = cast("int", user.extra["steps"])
    try:
        await store.update(user_id, {"extra": {"steps": steps + 1}}, expected={"version": user.version})
    except StaleUser:
        return False
    return True


async def _expects(store: UserStore, user: User, name: str, right: object, wrong: tuple[object, ...]) -> User:
    for value in wrong:
        fields: Any = {name: value}
        call = store.update(user.id, {"extra": {"wrong": name}}, expected=fields)
        await raised(StaleUser, call, f"{name} {right!r} was taken to equal {value!r}")
    fields = {name: right}
    updated = await store.update(user.id, {}, expected=fields)
    same_user(updated, attrs.evolve(user, version=user.version + 1), f"an update that expects the {name} there is")
    return updated


def _near(right: object) -> tuple[object, ...]:
    """Return values that are almost the right one."""
    if isinstance(right, Secret):
        text = right.reveal()
        return None, Secret(text + " "), Secret(text.upper())
    if isinstance(right, str):
        return None, right + " ", right.swapcase(), right[:-1] + "é"
    if isinstance(right, frozenset):
        texts = frozenset(str(each) for each in cast("frozenset[str]", right))
        return frozenset[str](), texts | {"more"}, frozenset(sorted(texts)[:1]), frozenset(map(str.upper, texts))
    if isinstance(right, datetime):
        return right + timedelta(microseconds=1), right - timedelta(hours=1)
    return ()
