"""Users whose fields all follow from their name, so that a half-written one shows."""

from __future__ import annotations

from typing import Final

import attrs

from authx_contract.basics.expect import same, same_user
from authx_contract.basics.violation import Violation
from authx_contract.samples.users import EVERYBODY, full_user
from authx_core.domain import User, UserChanges, UserId, changed
from authx_core.ports import UserStore

NAMES: Final = ("ann", "bob", "cid", "dan", "eve", "fay", "gil", "hal")


def all_changes(name: str) -> UserChanges:
    """Return the changes that turn any user into `full_user` of this name, except for the dates."""
    user = full_user(name)
    return {
        "email": user.email, "email_key": user.email_key, "username": user.username, "username_key": user.username_key,
        "password_hash": user.password_hash, "active": user.active, "permissions": user.permissions,
        "identities": user.identities, "extra": user.extra,
    }  # fmt: skip


def summary(user: User) -> list[object]:
    """Return the fields of a user that another process can compare."""
    return [user.id, user.email_key, user.username_key, sorted(user.permissions), user.version]


async def present(store: UserStore, name: str) -> User | None:
    """Return `full_user` of this name if every lookup finds it, None if none does; else raise `Violation`."""
    found = {
        "address": await store.get_by_email(f"{name}@example.com"),
        "username": await store.get_by_username(name),
        "one identity": await store.get_by_social("github", f"{name}-2"),
        "another": await store.get_by_social("google", f"{name}-1"),
        "search": next((user for user in await store.search(EVERYBODY, limit=1000) if user.username_key == name), None),
    }
    ids: set[UserId | None] = {None if user is None else user.id for user in found.values()}
    if len(ids) > 1:
        raise Violation(
            "a user is found by some lookups but not by others", found_by=sorted(k for k in found if found[k])
        )
    user = found["search"]
    if user is not None:
        for way, each in found.items():
            same_user(each, user, f"the user found by {way} is not the one that a search finds")
        same_user(await store.get(user.id), user, "the user found by id is not the one that a search finds")
    return user


async def all_whole(store: UserStore) -> int:
    """Check that each user is whole and each key has its user; return the number of users."""
    users = [user for name in NAMES if (user := await present(store, name)) is not None]
    for user in users:
        whole = attrs.evolve(changed(user, all_changes(str(user.username_key))), version=user.version)
        same_user(user, whole, "a user is half old and half new")
    same(await store.count(EVERYBODY), len(users), "some users have no keys")
    return len(users)


async def all_free(store: UserStore) -> None:
    """Check that every absent user can be created."""
    for name in NAMES:
        if await present(store, name) is None:
            await store.create(full_user(name))
    same(await store.count(EVERYBODY), len(NAMES), "a key is taken, but no user has it")
