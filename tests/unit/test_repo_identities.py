"""Linking and unlinking social identities, one by one and concurrently."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from authx_core import (
    Event,
    InvalidUser,
    LastCredential,
    NewUser,
    SocialIdentity,
    SocialLinked,
    SocialTaken,
    SocialUnlinked,
    User,
    UserNotFound,
    UsersRepo,
)

GITHUB, GOOGLE = SocialIdentity("github", "7"), SocialIdentity("google", "8")


async def test_a_social_identity_is_linked_and_unlinked(users: UsersRepo, ana: User, published: list[Event]) -> None:
    linked = await users.link_social(ana.id, "github", "7")
    assert (linked.identities, linked.version, linked.epoch) == ((GITHUB,), ana.version + 1, ana.epoch)
    assert await users.get_by_social("github", "7") == linked
    both = await users.link_social(ana.id, "google", "8")
    assert both.identities == (GITHUB, GOOGLE)
    left = await users.unlink_social(ana.id, "github", "7")
    assert (left.identities, left.epoch) == ((GOOGLE,), ana.epoch)
    assert await users.get_by_social("github", "7") is None
    assert published == [
        SocialLinked(user=linked, identity=GITHUB),
        SocialLinked(user=both, identity=GOOGLE),
        SocialUnlinked(user=left, identity=GITHUB),
    ]


async def test_linking_or_unlinking_twice_changes_nothing(users: UsersRepo, ana: User, published: list[Event]) -> None:
    assert await users.unlink_social(ana.id, "github", "7") == ana
    linked = await users.link_social(ana.id, "github", "7")
    published.clear()
    assert await users.link_social(ana.id, "github", "7") == linked
    assert published == []


@pytest.mark.parametrize("operation", ["create", "update"])
async def test_a_mapping_cannot_link_an_identity(users: UsersRepo, ana: User, operation: str) -> None:
    victim: dict[str, Any] = {"identities": [{"provider": "google", "subject": "8"}]}
    call = users.create({"username": "eve", **victim}) if operation == "create" else users.update(ana.id, victim)
    with pytest.raises(InvalidUser) as caught:
        await call
    assert [(problem.field, problem.code) for problem in caught.value.problems] == [("identities", "protected")]
    assert await users.get_by_social("google", "8") is None


async def test_the_identity_of_another_user_is_taken(users: UsersRepo, ana: User) -> None:
    bob = await users.create(NewUser(username="bob", identities=(GOOGLE,)))
    with pytest.raises(SocialTaken) as caught:
        await users.link_social(ana.id, "google", "8")
    assert caught.value.fields == {"identities"}
    with pytest.raises(SocialTaken):
        await users.create(NewUser(username="eve", identities=(GOOGLE,)))
    assert await users.get_by_social("google", "8") == bob
    assert await users.get(ana.id) == ana


@pytest.mark.parametrize("operation", ["link_social", "unlink_social"])
async def test_linking_or_unlinking_for_an_unknown_user_is_user_not_found(users: UsersRepo, operation: str) -> None:
    for unknown in ("nobody", "", "x\0"):
        with pytest.raises(UserNotFound):
            await getattr(users, operation)(unknown, "github", "7")


@pytest.mark.parametrize("operation", ["link_social", "unlink_social"])
@pytest.mark.parametrize("wrong", ["", "x" * 256, "nul\0", "lone\ud800", 5, None, b"x"])
async def test_a_malformed_identity_is_refused(users: UsersRepo, ana: User, operation: str, wrong: Any) -> None:
    with pytest.raises(InvalidUser) as caught:
        await getattr(users, operation)(ana.id, wrong, wrong)
    assert [problem.field for problem in caught.value.problems] == ["provider", "sid"]


async def test_a_user_has_at_most_a_hundred_identities(users: UsersRepo) -> None:
    many = tuple(SocialIdentity("github", str(number)) for number in range(100))
    bob = await users.create(NewUser(username="bob", identities=many))
    assert await users.link_social(bob.id, "github", "99") == bob
    with pytest.raises(InvalidUser, match="at most 100"):
        await users.link_social(bob.id, "github", "100")
    assert len((await users.unlink_social(bob.id, "github", "0")).identities) == 99


@pytest.mark.parametrize("names", [{}, {"username": "bob"}, {"email": "bob@example.com"}])
async def test_the_last_credential_cannot_be_unlinked(
    users: UsersRepo, names: dict[str, Any], published: list[Event]
) -> None:
    bob = await users.create(NewUser(**names, identities=(GITHUB,)))
    published.clear()
    with pytest.raises(LastCredential) as caught:
        await users.unlink_social(bob.id, "github", "7")
    assert (caught.value.code, caught.value.user_id) == ("last_credential", bob.id)
    assert await users.get(bob.id) == bob
    assert published == []
    if names:
        await users.set_password(bob.id, "correct horse battery")
        assert (await users.unlink_social(bob.id, "github", "7")).identities == ()


async def test_twenty_concurrent_links_are_all_kept(users: UsersRepo, ana: User) -> None:
    await asyncio.gather(*(users.link_social(ana.id, "github", str(number)) for number in range(20)))
    after = await users.get(ana.id)
    assert after is not None
    assert {identity.subject for identity in after.identities} == set(map(str, range(20)))


async def test_one_of_two_callers_who_unlink_the_last_two_identities_is_refused(users: UsersRepo) -> None:
    bob = await users.create(NewUser(username="bob", identities=(GITHUB, GOOGLE)))
    calls = (users.unlink_social(bob.id, each.provider, each.subject) for each in (GITHUB, GOOGLE))
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["LastCredential", "User"]
    after = await users.get(bob.id)
    assert after is not None
    assert len(after.identities) == 1


async def test_one_of_two_users_who_link_one_identity_wins(users: UsersRepo, ana: User) -> None:
    bob = await users.create({"username": "bob"})
    calls = (users.link_social(each.id, "github", "7") for each in (ana, bob))
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["SocialTaken", "User"]
