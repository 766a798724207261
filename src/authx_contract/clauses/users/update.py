"""Updates: stored values, and refusals."""

from __future__ import annotations

from typing import Any, cast

import attrs

from authx_contract.basics.expect import raised, same, same_user
from authx_contract.clause import clause
from authx_contract.samples.users import (
    EVERYBODY,
    KINDS,
    by_key,
    full_user,
    make_user,
    with_key,
)
from authx_contract.trial import Trial
from authx_core.domain import (
    IdentifierTaken,
    SocialIdentity,
    User,
    UserChanges,
    UserFields,
    UserNotFound,
    changed,
)
from authx_core.ports import UserStore


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
    same(await store.get_by_username("bob"), None, "an update of an unknown user claimed a key")


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
        same(error.fields, set(names), "the named fields are not exactly the taken ones")
        same_user(await store.get(ann.id), ann, "an update into another's key changed the other")
        same_user(await store.get(bob.id), bob, "a refused update changed the user")
    same(await store.get_by_social("free", "1"), None, "a refused update claimed an identity")
    same_user(await store.get_by_username("bob"), bob, "a refused update freed a key")
    same_user(await store.get_by_social("github", "bob-2"), bob, "a refused update freed an identity")
    await _moves_along(store)


async def _moves_along(store: UserStore) -> None:
    """Check that a user may keep its own key, and that a key that was just freed can be claimed."""
    for kind in KINDS:
        one, two = [await store.create(make_user(**with_key(kind, key))) for key in ("1", "2")]
        one = await store.update(one.id, with_key(kind, "1"))
        one = await store.update(one.id, with_key(kind, "3"))
        two = await store.update(two.id, with_key(kind, "1"))
        for key, user in (("1", two), ("2", None), ("3", one)):
            same(await by_key(store, kind, key), user, f"after two moves {key} ({kind}) finds the wrong user")
