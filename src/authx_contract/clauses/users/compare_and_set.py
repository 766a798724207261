"""Compare and set in one step: an update that applies only while the expected fields still hold."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Final, cast

import attrs

from authx_contract.basics.expect import raised, same, same_user
from authx_contract.clause import clause
from authx_contract.probes.races import ROUNDS, race
from authx_contract.samples.users import (
    full_user,
    make_user,
    warm,
)
from authx_contract.terms import RACERS
from authx_contract.trial import Trial
from authx_core.domain import (
    InvalidValue,
    Secret,
    StaleUser,
    User,
    UserChanges,
    UserFields,
    UserNotFound,
)
from authx_core.ports import UserStore

_STEPS: Final = 2
"""Updates of one racer in U-034 and U-039."""


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
        same_user(await stores[0].get(user.id), winners[0], "the stored user differs from the result of the winner")


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
    """Return values that are almost equal to the right one."""
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
