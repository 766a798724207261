"""`NEXT`: an epoch that rises by one in the statement that also raises the version."""

from __future__ import annotations

from typing import Final, cast

import attrs

from authx_contract.basics.expect import holds, raised, same, same_user
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
    NEXT,
    IdentifierTaken,
    InvalidValue,
    Secret,
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
        same(type(ann.epoch), int, "an epoch is not an int")
        same_user(await store.get(ann.id), after, f"update by {changes} stored another user")
    for stale in (UserFields(epoch=1), UserFields(version=1), UserFields(active=False, epoch=ann.epoch)):
        await raised(StaleUser, store.update(ann.id, {"epoch": NEXT}, expected=stale), f"{stale} matched")
    taken = UserChanges(epoch=NEXT, email=bob.email, email_key=bob.email_key)
    await raised(IdentifierTaken, store.update(ann.id, taken), "an address was taken with `NEXT`")
    for fields in ({"version": NEXT}, {"active": NEXT}, {"extra": {"epoch": NEXT}}):
        await raised(InvalidValue, store.update(ann.id, cast("UserChanges", fields)), f"{fields} was taken")
    call = store.update(ann.id, {"epoch": NEXT}, expected=cast("UserFields", {"epoch": NEXT}))
    await raised(InvalidValue, call, "`NEXT` was compared")
    await raised(UserNotFound, store.update("nobody", {"epoch": NEXT}), "the epoch of an unknown user rose")
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
        epochs: list[int] = []

        async def kick(store: UserStore, _: int, user: User = user, epochs: list[int] = epochs) -> None:
            for _step in range(_STEPS):
                after = await store.update(user.id, {"epoch": NEXT})
                epochs.append(after.epoch)
                for seen in (after, await store.get(user.id)):
                    same_user(seen, attrs.evolve(user, epoch=_epoch(seen), version=_epoch(seen)), "epoch and version")
                    holds(_epoch(seen) >= after.epoch, "an epoch that was returned is not stored")

        results = await race(stores, kick, warm=warm)
        same(results, [None] * RACERS, "an update by `NEXT` that expects nothing was refused")
        same(sorted(epochs), list(range(2, 2 + RACERS * _STEPS)), "an epoch was lost, or returned twice")


async def _cannot_rise(store: UserStore, user: User) -> None:
    """Check that the epoch cannot exceed 64 bits."""
    last = await store.update(user.id, {"epoch": _HIGHEST - 1})
    last = await store.update(last.id, {"epoch": NEXT})
    same(last.epoch, _HIGHEST, "the epoch before the highest did not rise to it")
    for expected in (None, UserFields(version=last.version)):
        call = store.update(last.id, {"epoch": NEXT, "active": False}, expected=expected)
        await raised(InvalidValue, call, "the highest epoch rose")
    same_user(await store.get(last.id), last, "an update whose epoch cannot rise was made in part")


def _epoch(user: User | None) -> int:
    return user.epoch if user else 0
