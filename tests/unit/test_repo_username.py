"""Renaming, through both facades."""

from __future__ import annotations

import pytest

from authx_core import Event, InvalidUser, User, UsernameChanged, UsernameTaken, UserNotFound, UsersRepo


async def test_a_rename_is_published_with_both_names(users: UsersRepo, ana: User, published: list[Event]) -> None:
    after = await users.change_username(ana.id, "Anna")
    assert (after.username, after.username_key) == ("Anna", "anna")
    assert published == [UsernameChanged(user=after, old="Ana", new="Anna")]
    assert await users.get_by_username("ana") is None


async def test_a_user_may_change_the_spelling_of_a_name(users: UsersRepo, ana: User, published: list[Event]) -> None:
    assert (await users.change_username(ana.id, "ANA")).username == "ANA"
    assert len(published) == 1
    await users.change_username(ana.id, "ANA")
    assert len(published) == 1


@pytest.mark.parametrize("name", ["", "x", "root", "a@b", None])
async def test_an_invalid_name_is_refused(users: UsersRepo, ana: User, name: str) -> None:
    with pytest.raises(InvalidUser):
        await users.change_username(ana.id, name)
    assert await users.get(ana.id) == ana


async def test_another_user_s_name_is_taken(users: UsersRepo, ana: User) -> None:
    bob = await users.create({"username": "bob"})
    with pytest.raises(UsernameTaken):
        await users.change_username(bob.id, "ANA")
    assert await users.get_by_username("ana") == ana


async def test_renaming_an_unknown_user_is_user_not_found(users: UsersRepo) -> None:
    with pytest.raises(UserNotFound):
        await users.change_username("nobody", "anna")
