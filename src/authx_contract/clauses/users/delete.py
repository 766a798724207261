"""Deletion: once, and complete."""

from __future__ import annotations

import attrs

from authx_contract.basics.expect import holds, same, same_user
from authx_contract.clause import clause
from authx_contract.probes.races import ROUNDS, race
from authx_contract.samples.users import (
    EVERYBODY,
    KINDS,
    by_key,
    full_user,
    ids,
    make_user,
    warm,
    with_key,
)
from authx_contract.terms import RACERS
from authx_contract.trial import Trial
from authx_core.domain import User, UserNotFound, UserQuery
from authx_core.ports import UserStore


@clause(
    "U-040",
    means="A deleted person is still found and counted, or cannot register again.",
    cause="Keys, identities or index entries are kept beside the user and are not removed in the same step.",
)
async def delete(trial: Trial) -> None:
    """`delete` is True once; the user is gone from every lookup, search and count, and the keys are free."""
    store = await trial.users()
    ann, bob = await store.create(full_user("ann")), await store.create(full_user("bob"))
    same(await store.delete(ann.id), True, "deleting a user returned False")
    same(await store.delete(ann.id), False, "deleting a user twice returned True again")
    found = [
        await store.get(ann.id),
        await store.get_by_email("ann@example.com"),
        await store.get_by_username("ann"),
    ]
    found += [await store.get_by_social(each.provider, each.subject) for each in ann.identities]
    same(found, [None] * 5, "a deleted user is found")
    for query in (EVERYBODY, UserQuery(id=ann.id), UserQuery(permission="read"), UserQuery(email_prefix="a")):
        holds(ann.id not in await ids(store, query), f"a deleted user is in {query}")
    same(await store.count(EVERYBODY), 1, "a deleted user is counted")
    same(await store.count(UserQuery(permission="write:ann")), 0, "a deleted user's permission is counted")
    same_user(await store.get(bob.id), bob, "deleting a user changed another")
    again = await store.create(attrs.evolve(full_user("ann"), id=ann.id))
    same_user(await store.get_by_username("ann"), again, "a deleted user's keys stayed claimed")
    await store.delete(ann.id)
    other = await store.create(full_user("ann"))
    same_user(await store.get_by_email("ann@example.com"), other, "a deleted user's keys stayed claimed")


@clause(
    "U-041",
    level=2,
    kind="race",
    means="A deleted account comes back half, and its keys are taken for ever.",
    cause="`update` writes without asking, in the same step, whether the user is still there.",
)
async def delete_against_update(trial: Trial) -> None:
    """`delete` against `update` ends wholly gone."""
    stores = await trial.racing_users()
    for round_ in range(ROUNDS):
        keys = {kind: f"{round_}-{kind}" for kind in KINDS}
        user = make_user()
        for kind in KINDS:
            user = attrs.evolve(user, **with_key(kind, keys[kind]))
        user = await stores[0].create(user)

        async def delete_or_update(store: UserStore, racer: int, user: User = user) -> User | bool:
            if not racer:
                return await store.delete(user.id)
            return await store.update(user.id, with_key(KINDS[racer - 1], f"{user.id}-{racer}"))

        results = await race(stores, delete_or_update, warm=warm)
        same(results[0], True, "a delete that raced with updates returned False")
        losers = [result for result in results[1:] if not isinstance(result, User)]
        holds(
            all(isinstance(each, UserNotFound) for each in losers),
            f"an update that raced with a delete ended in {losers!r:.300}",
        )
        left = [await stores[0].get(user.id)]
        for racer, kind in enumerate(KINDS, 1):
            left += [await by_key(stores[0], kind, key) for key in (keys[kind], f"{user.id}-{racer}")]
        same(left, [None] * 7, "a deleted user came back, or left keys behind")
        same(await stores[0].count(EVERYBODY), 0, "a deleted user is counted")
        for racer, kind in enumerate(KINDS, 1):
            for key in (keys[kind], f"{user.id}-{racer}"):
                free = await stores[0].create(make_user(**with_key(kind, key)))
                await stores[0].delete(free.id)


@clause(
    "U-042",
    level=2,
    kind="race",
    means="A farewell mail or a refund is sent once for each request that deleted the account.",
    cause="Whether the user is there is asked before the delete: count what the delete itself removed.",
)
async def one_delete(trial: Trial) -> None:
    """Of several deletes at once one is True."""
    stores = await trial.racing_users()
    for _ in range(ROUNDS):
        user = await stores[0].create(full_user("ann"))

        async def delete(store: UserStore, _: int, user: User = user) -> bool:
            return await store.delete(user.id)

        results = await race(stores, delete, warm=warm)
        same(sorted(map(repr, results)), ["False"] * (RACERS - 1) + ["True"], "not exactly one delete returned True")
