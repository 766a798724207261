"""Creating, finding, updating and deleting users, through both facades."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.passlib import PasslibHasher
from authx_core import (
    EmailTaken,
    Event,
    IdentifierTaken,
    InvalidQuery,
    InvalidUser,
    InvalidValue,
    NewUser,
    StaleUser,
    User,
    UserCreated,
    UserDeleted,
    UsernameChanged,
    UsernameTaken,
    UserNotFound,
    UsersRepo,
    UserUpdated,
)

PASSWORD = "correct horse battery"


async def test_a_user_is_created_from_a_mapping(users: UsersRepo, published: list[Event], clock: ManualClock) -> None:
    given = {
        "email": "Ana@Example.com",
        "username": "Ana",
        "password": PASSWORD,
        "extra": {"shoe": 38},
    }
    user = await users.create(given)
    assert (user.email, user.email_key) == ("Ana@Example.com", "ana@example.com")
    assert (user.username, user.username_key) == ("Ana", "ana")
    assert (user.identities, user.extra) == ((), {"shoe": 38})
    assert (user.active, user.confirmed, user.permissions, user.version, user.epoch) == (True, False, frozenset(), 1, 1)
    assert user.created_at == clock.now()
    assert user.password_hash
    assert user.password_hash.reveal() != PASSWORD
    assert published == [UserCreated(user=user)]
    assert given["password"] == PASSWORD


async def test_a_user_is_created_from_a_new_user(users: UsersRepo, clock: ManualClock) -> None:
    before = clock.now() - timedelta(days=9)
    new = NewUser(
        username="ana", active=False, confirmed=True, permissions=frozenset("a"), created_at=before, last_login=before
    )
    user = await users.create(new)
    assert (user.active, user.confirmed, user.permissions, user.created_at, user.last_login) == (
        False,
        True,
        frozenset("a"),
        before,
        before,
    )
    assert user.password_hash is None


async def test_every_bad_field_is_reported_and_no_user_is_created(users: UsersRepo, published: list[Event]) -> None:
    with pytest.raises(InvalidUser) as caught:
        await users.create({"email": "nobody", "username": "a b", "password": "short", "epoch": 5})
    assert {problem.field for problem in caught.value.problems} == {"email", "username", "password", "epoch"}
    assert await users.search() == ([], 0)
    assert published == []


@pytest.mark.parametrize(
    ("given", "kind", "fields"),
    [
        ({"email": "ANA@example.COM"}, EmailTaken, {"email"}),
        ({"username": "ＡＮＡ"}, UsernameTaken, {"username"}),
        ({"email": "ana@example.com", "username": "ANA"}, EmailTaken, {"email", "username"}),
    ],
)
@pytest.mark.usefixtures("ana")
async def test_another_user_s_name_is_taken(
    users: UsersRepo, given: dict[str, Any], kind: type[IdentifierTaken], fields: set[str]
) -> None:
    with pytest.raises(kind) as caught:
        await users.create(given)
    assert caught.value.fields == fields
    bob = await users.create({"username": "bob"})
    with pytest.raises(kind):
        await users.update(bob.id, given)
    assert await users.get(bob.id) == bob


async def test_a_user_is_found_by_every_name_in_any_spelling(users: UsersRepo, ana: User) -> None:
    linked = await users.link_social(ana.id, "github", "7")
    assert await users.get(ana.id) == linked
    assert await users.get_by_email("ANA@EXAMPLE.com") == linked
    assert await users.get_by_username("ＡＮＡ") == linked
    assert await users.get_by_social("github", "7") == linked
    assert await users.get_by_login("aNa@example.com") == await users.get_by_login("aNa") == linked


async def test_other_names_find_no_user(users: UsersRepo, ana: User) -> None:
    assert await users.get(ana.id.upper() + "x") is None
    assert await users.get_by_email("ana@example.org") is None
    assert await users.get_by_username("an") is None
    assert await users.get_by_social("github", "7") is None
    assert await users.get_by_login("ana@") is None


async def test_an_update_changes_the_given_fields(users: UsersRepo, ana: User, published: list[Event]) -> None:
    after = await users.update(ana.id, {"extra": {"shoe": 38}})
    assert (after.extra, after.email, after.version) == ({"shoe": 38}, ana.email, 2)
    assert published == [UserUpdated(user=after, before=ana, fields=frozenset({"extra"}))]


async def test_a_rename_by_update_is_published_as_a_rename(users: UsersRepo, ana: User, published: list[Event]) -> None:
    after = await users.update(ana.id, {"username": "Anna", "email": "ana@example.com"})
    assert published == [
        UserUpdated(user=after, before=ana, fields=frozenset({"username", "email"})),
        UsernameChanged(user=after, old="Ana", new="Anna"),
    ]


async def test_a_new_address_is_not_confirmed(users: UsersRepo) -> None:
    bob = await users.create(NewUser(email="bob@example.com", confirmed=True))
    assert (await users.update(bob.id, {"email": "bob@example.com"})).confirmed
    assert not (await users.update(bob.id, {"email": "Bob@example.com"})).confirmed


@pytest.mark.parametrize("given", [{"extra": {}}, {"username": "anna"}])
async def test_an_update_of_another_version_is_stale(users: UsersRepo, ana: User, given: dict[str, Any]) -> None:
    assert (await users.update(ana.id, given, version=1)).version == 2
    with pytest.raises(StaleUser):
        await users.update(ana.id, given, version=1)
    with pytest.raises(InvalidUser):
        await users.update(ana.id, given, version=0)


@pytest.mark.parametrize(
    "field",
    ["id", "password", "password_hash", "epoch", "version", "active", "confirmed", "permissions", "identities", "shoe"],
)
async def test_an_update_refuses_fields_that_have_operations_of_their_own(
    users: UsersRepo, ana: User, field: str
) -> None:
    with pytest.raises(InvalidUser):
        await users.update(ana.id, {field: 1, "username": "anna"})
    assert await users.get(ana.id) == ana


async def test_the_last_name_cannot_be_removed(users: UsersRepo) -> None:
    bob = await users.create({"username": "bob", "email": "bob@example.com"})
    await users.update(bob.id, {"email": None})
    with pytest.raises(InvalidUser):
        await users.update(bob.id, {"username": None})


async def test_deleting_a_user_frees_the_names(users: UsersRepo, ana: User, published: list[Event]) -> None:
    assert await users.delete(ana.id)
    assert not await users.delete(ana.id)
    assert published == [UserDeleted(user_id=ana.id)]
    assert await users.get_by_login("ana") is None
    await users.create({"email": "ana@example.com", "username": "ana"})


async def test_the_last_login_is_recorded(users: UsersRepo, ana: User, clock: ManualClock) -> None:
    clock.advance(timedelta(hours=1, microseconds=7))
    assert (await users.update_last_login(ana.id)).last_login == clock.now()


@pytest.mark.parametrize("operation", ["update", "update_last_login"])
async def test_updating_an_unknown_user_is_user_not_found(users: UsersRepo, operation: str) -> None:
    changes: tuple[dict[str, Any], ...] = ({"extra": {}}, {"username": "anna"})
    for given in changes:
        with pytest.raises(UserNotFound):
            await (users.update("nobody", given) if operation == "update" else users.update_last_login("nobody"))


async def test_a_search_is_paged_and_takes_wildcards_literally(users: UsersRepo, clock: ManualClock) -> None:
    made = []
    for name in ("a_na", "axna", "hanna", "anna", "bob"):
        clock.advance(1)
        made.append(await users.create({"username": name}))
    assert await users.search(username="_N") == ([made[0]], 1)
    assert await users.search(username="NN", size=1) == ([made[2]], 2)
    assert await users.search(username="nn", p=2, size=1) == ([made[3]], 2)
    assert await users.search(id=made[4].id) == ([made[4]], 1)
    assert await users.search(p=9) == ([], 5)


async def test_a_walk_visits_every_user_once(users: UsersRepo, clock: ManualClock) -> None:
    for number in range(7):
        clock.advance(1)
        await users.create(NewUser(email=f"user{number}@Example.com", username=f"user{number}", active=number != 3))
    walked: list[User] = []
    while page := await users.search_after(
        walked[-1].id if walked else None,
        email="R",
        email_prefix="USER",
        username_prefix="Us",
        username="SER",
        active=True,
        size=4,
    ):
        walked += page
    assert [user.username for user in walked] == [f"user{number}" for number in (0, 1, 2, 4, 5, 6)]
    assert await users.search_after(permission="read") == []


@pytest.mark.parametrize("wrong", [{"p": 0}, {"size": 101}, {"size": 0}, {"size": True}, {"id": 5}, {"username": "\0"}])
async def test_a_malformed_search_is_invalid_query(users: UsersRepo, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidQuery) as caught:
        await users.search(**{"p": 1, **wrong})
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("value", [42, uuid.UUID(int=7), None, b"7", ["7"], {"id": "7"}])
async def test_a_lookup_by_a_value_that_is_not_text_is_invalid_value(users: UsersRepo, value: Any) -> None:
    calls: dict[str, Awaitable[object]] = {
        "id": users.get(value),
        "email": users.get_by_email(value),
        "username": users.get_by_username(value),
        "login": users.get_by_login(value),
        "sid": users.get_by_social("google", value),
    }
    for field, call in calls.items():
        with pytest.raises(InvalidValue, match=f"{field}: must be text, not {type(value).__name__}"):
            await call
    for call in (users.delete(value), users.kick(value), users.update(value, {}), users.update_last_login(value)):
        with pytest.raises(InvalidValue, match="id: must be text"):
            await call


@pytest.mark.parametrize(
    "password_hash",
    [
        "plain text password",
        "$argon2id$v=19$m=64,t=1,p=1$broken",
        "$2b$31$" + "a" * 53,
        "!",
        "5f4dcc3b5aa765d61d8327deb882cf99",
    ],
)
async def test_a_hash_of_an_unsupported_scheme_is_not_stored(users: UsersRepo, password_hash: str) -> None:
    with pytest.raises(InvalidUser, match="password_hash: is no hash of an accepted scheme"):
        await users.create(NewUser(username="bob", password_hash=password_hash))
    assert await users.get_by_username("bob") is None


async def test_a_hash_of_the_empty_password_is_not_stored(users: UsersRepo, hasher: PasslibHasher) -> None:
    empty = await hasher.hash("")
    with pytest.raises(InvalidUser, match="password_hash: is the hash of the empty password"):
        await users.create(NewUser(username="bob", password_hash=empty))


async def test_the_size_of_an_error_is_bounded(users: UsersRepo) -> None:
    with pytest.raises(InvalidUser) as caught:
        await users.create({f"field {number}": number for number in range(300_000)})
    assert len(caught.value.problems) == 100
    assert "more problems" in str(caught.value)
    assert len(str(caught.value)) < 10_000
