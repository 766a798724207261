"""Calls that are cancelled at any of their awaits, and replies that are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final

import attrs

from authx_contract.basics.expect import holds, same, same_user
from authx_contract.clause import clause
from authx_contract.probes.cancelled import cancelled_or_done, eventually, promptly
from authx_contract.probes.sweep import LANDING, Cut, sweep
from authx_contract.samples.users import EVERYBODY, full_user, warm
from authx_contract.samples.whole_users import all_changes, present
from authx_contract.trial import Trial
from authx_core.domain import AuthxError, IdentifierTaken, StaleUser, User, UserChanges, changed
from authx_core.ports import UserStore

_TIMES: Final = 3
"""Sweeps in a row, because a pool can lose more than one connection."""


@clause(
    "U-036",
    level=2,
    kind="crash",
    means="A person who presses the button again after an error has the change made twice.",
    cause="The expected fields are compared in another step than the change; or a retry of the adapter's own.",
)
async def retry(trial: Trial) -> None:
    """After a lost reply a retry never applies twice."""
    store, other = await trial.many_users(2)

    def update(user: User) -> Coroutine[Any, Any, User]:
        return store.update(user.id, {"epoch": user.epoch + 1}, expected={"version": user.version})

    for user, cut in await _cuts(store, update, other.create):
        again = await _answer(update(user))
        right = StaleUser if cut.through else (User, StaleUser)
        holds(isinstance(again, right), f"a retry after a lost reply ended in {again!r:.300}")
        changed = attrs.evolve(user, epoch=user.epoch + 1, version=user.version + 1)
        same_user(await other.get(user.id), changed, "a change and its retry were not applied exactly once")
        again = await _answer(store.create(_namesake(user)))
        holds(isinstance(again, IdentifierTaken), f"creating the same user again ended in {again!r:.300}")
        await store.delete(user.id)
        same(await store.delete(user.id), False, "a retried delete returned True again")
    same(await other.count(EVERYBODY), 0, "a retry stored a user twice")


@clause(
    "U-080",
    level=2,
    kind="crash",
    means="A few people who close their browsers early bring logging in to a halt for everybody.",
    cause="A connection, lock or transaction that is not given back when `CancelledError` passes: use `finally`.",
)
async def usable(trial: Trial) -> None:
    """A cancelled operation leaves the handle usable and leaks nothing."""
    store = await trial.users()
    await warm(store)
    user = await store.create(full_user("ann"))
    changes: UserChanges = {"permissions": frozenset({"read"}), "identities": user.identities[:1]}
    other = full_user("bob")
    operations: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "get": lambda: store.get(user.id),
        "get_by_email": lambda: store.get_by_email("ann@example.com"),
        "get_by_username": lambda: store.get_by_username("ann"),
        "get_by_social": lambda: store.get_by_social("github", "ann-2"),
        "search": lambda: store.search(EVERYBODY, limit=10),
        "count": lambda: store.count(EVERYBODY),
        "update": lambda: store.update(user.id, changes),
        "get_blackout": store.get_blackout,
        "set_blackout": lambda: store.set_blackout(user.created_at),
        "create": lambda: store.create(other),
        "refused create": lambda: store.create(full_user("ann")),
        "stale update": lambda: store.update(user.id, changes, expected={"version": 999}),
        "delete": lambda: store.delete(other.id),
    }
    for _ in range(_TIMES):
        for name, operate in operations.items():
            async for cut in sweep(operate, landing=0):
                cancelled_or_done(cut, name)
                found = await promptly(store.get(user.id), f"after {name} was cancelled at its await {cut.at}")
                same(found is not None and found.id, user.id, f"a user is gone after {name} was cancelled")
    calls = asyncio.gather(*(store.get(user.id) for _ in range(20)))
    await promptly(calls, "20 calls at once, after the cancelled ones")


@clause(
    "U-081",
    level=2,
    kind="crash",
    means="A person can neither log in nor register again: the address is taken by nobody.",
    cause="The user and the keys are stored in two transactions, or undone in `except Exception`.",
)
async def create(trial: Trial) -> None:
    """`create` cancelled at any await is all or nothing."""
    store, other = await trial.many_users(2)
    for user, cut in await _cuts(store, store.create):
        given, stored = user, await _found(other, user)
        holds(stored or not cut.through, "a create that ended was not stored")
        if stored is None:
            given = _namesake(user)  # with another id, as for a person who tries again
            stored = await store.create(given)
        same_user(stored, attrs.evolve(given, id=stored.id, version=1), "what was stored is not what was given")


@clause(
    "U-082",
    level=2,
    kind="crash",
    means="A person has a new address and an old one, or a name that leads to nobody.",
    cause="Fields and keys are changed in two transactions, or undone in `except Exception`.",
)
async def update(trial: Trial) -> None:
    """`update` cancelled at any await is all or nothing."""
    store, other = await trial.many_users(2)

    def changes(user: User) -> UserChanges:
        return all_changes(f"new-{user.username_key}")

    for user, cut in await _cuts(store, lambda user: store.update(user.id, changes(user)), other.create):
        updated = changed(user, changes(user))
        before, after = await eventually(partial(_either, other, user, updated))
        holds(after or not cut.through, "an update that ended was not stored")
        same_user(after or before, updated if after else user, "a cancelled update was applied in part")
        await store.create(_namesake(user if after else updated))


@clause(
    "U-083",
    level=2,
    kind="crash",
    means="A deleted person's address is taken for ever, or half the account stays.",
    cause="The user and the keys are removed in two transactions.",
)
async def delete(trial: Trial) -> None:
    """`delete` cancelled at any await is all or nothing."""
    store, other = await trial.many_users(2)
    for user, cut in await _cuts(store, lambda user: store.delete(user.id), other.create):
        left = await _found(other, user)
        holds(left is None or not cut.through, "a delete that ended did nothing")
        if left is not None:
            same_user(left, user, "a cancelled delete changed the user")
            await store.delete(user.id)
        await store.create(_namesake(user))


async def _cuts(
    store: UserStore,
    operate: Callable[[User], Coroutine[Any, Any, object]],
    prepare: Callable[[User], Awaitable[User]] | None = None,
) -> list[tuple[User, Cut]]:
    """Cancel an operation at each of its awaits, both at once and when its request may be in flight.

    Each cut has its own user, so that a single pause lets all requests land before the check.
    """
    users, cuts = list[User](), list[Cut]()

    async def new_user() -> None:
        await warm(store)  # the handle has a connection again, so each operation has as many awaits as before
        user = full_user(f"ann-{len(users)}")
        users.append(user if prepare is None else await prepare(user))

    for at_once in (False, True):
        async for cut in sweep(lambda: operate(users[-1]), new_user, landing=0, at_once=at_once):
            cancelled_or_done(cut, "an operation")
            cuts.append(cut)
    if any(cut.on_the_wire for cut in cuts):
        await asyncio.sleep(LANDING)
    return list(zip(users, cuts, strict=True))


def _namesake(user: User) -> User:
    """Make another user with the same keys."""
    return full_user(str(user.username_key))


async def _found(store: UserStore, user: User) -> User | None:
    return await eventually(lambda: present(store, str(user.username_key)))


async def _either(store: UserStore, *users: User) -> list[User | None]:
    """Return the user found by the keys of each; exactly one must be found."""
    found = [await present(store, str(user.username_key)) for user in users]
    same(found.count(None), 1, "a user who was changed is found by old keys and new ones, or by neither")
    return found


async def _answer(call: Coroutine[Any, Any, User]) -> User | AuthxError:
    try:
        return await call
    except AuthxError as error:
        return error
