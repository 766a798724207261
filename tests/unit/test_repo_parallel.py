"""Of concurrent callers one wins, the others get one of our errors, and no change is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from datetime import timedelta
from threading import Thread
from unicodedata import normalize

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_adapters.passlib import PasslibHasher
from authx_core import BlockingUsersRepo, EmailTaken, InvalidToken, User, UsernameTaken, UsersRepo

TOKEN = "Yp3vQ0s8kXo5cWb1Zr7TgLd2nJf4hUe6AaMiKtBxRwE"
ADDRESSES = [
    "rené@example.com",
    "RENÉ@example.com",
    normalize("NFD", "René@Example.com"),
    "renÉ@ｅxample.com",
    "ReNé@EXAMPLE.COM",
]
NAMES = ["rené", "RENÉ", normalize("NFD", "René"), "ｒｅｎé", "ReNé"]


async def outcomes(calls: Iterable[Awaitable[object]]) -> Counter[type]:
    return Counter(type(result) for result in await asyncio.gather(*calls, return_exceptions=True))


async def test_one_of_fifty_users_created_with_one_address_wins(users: UsersRepo) -> None:
    made = await outcomes(users.create({"email": ADDRESSES[number % 5]}) for number in range(50))
    assert made == {User: 1, EmailTaken: 49}
    found = [await users.get_by_email(address) for address in ADDRESSES]
    assert found[0] is not None
    assert found == [found[0]] * 5
    assert await users.search() == ([found[0]], 1)


async def test_one_of_fifty_renames_to_one_name_wins(users: UsersRepo) -> None:
    made = [await users.create({"username": f"user{number}"}) for number in range(50)]
    done = await outcomes(users.change_username(user.id, NAMES[number % 5]) for number, user in enumerate(made))
    assert done == {User: 1, UsernameTaken: 49}
    assert (await users.search(username="rené"))[1] == 1


async def test_one_of_fifty_changes_to_one_address_wins(users: UsersRepo) -> None:
    made = [await users.create({"email": f"user{number}@example.com"}) for number in range(50)]
    done = await outcomes(users.update(user.id, {"email": ADDRESSES[number % 5]}) for number, user in enumerate(made))
    assert done == {User: 1, EmailTaken: 49}
    assert len(await users.search_after(email="rené")) == 1


async def test_one_of_fifty_resets_with_one_token_wins(users: UsersRepo, ana: User) -> None:
    await users.set_password_reset_token(ana.id, TOKEN)
    passwords = [f"correct horse number {number}" for number in range(50)]
    done = await asyncio.gather(*(users.reset_password(TOKEN, each) for each in passwords), return_exceptions=True)
    assert Counter(map(type, done)) == {User: 1, InvalidToken: 49}
    winner = next(password for password, result in zip(passwords, done, strict=True) if isinstance(result, User))
    assert await users.authenticate("ana", winner) is not None
    assert await users.authenticate("ana", passwords[passwords.index(winner) - 1]) is None
    after = await users.get(ana.id)
    assert after is not None
    assert after.epoch == ana.epoch + 1


async def test_permissions_added_concurrently_are_all_kept(users: UsersRepo, ana: User) -> None:
    await asyncio.gather(*(users.add_permissions(ana.id, [f"p{number}"]) for number in range(16)))
    after = await users.get(ana.id)
    assert after is not None
    assert after.permissions == {"read", *(f"p{number}" for number in range(16))}
    assert after.epoch == ana.epoch + 16


async def test_two_concurrent_toggles_make_two_changes(users: UsersRepo, ana: User) -> None:
    assert sorted(await asyncio.gather(users.toggle_blacklist(ana.id), users.toggle_blacklist(ana.id))) == [False, True]
    after = await users.get(ana.id)
    assert after is not None
    assert (after.active, after.version) == (True, ana.version + 2)


async def test_one_of_several_deletes_returns_true(users: UsersRepo, ana: User) -> None:
    assert Counter(await asyncio.gather(*(users.delete(ana.id) for _ in range(16)))) == {True: 1, False: 15}


async def test_a_limit_admits_exactly_its_number_of_concurrent_calls(users: UsersRepo) -> None:
    admitted = await asyncio.gather(*(users._check_timeout_and_incr("key", 7, 60) for _ in range(500)))
    assert Counter(admitted) == {True: 7, False: 493}


@pytest.mark.parametrize("limit", [1, 100])
def test_a_limit_admits_exactly_its_number_from_sixteen_threads(
    clock: ManualClock, hasher: PasslibHasher, limit: int
) -> None:
    users = BlockingUsersRepo(UsersRepo(MemoryUserStore(), MemoryCache(clock), clock=clock, hasher=hasher))
    admitted: list[bool] = []

    def work() -> None:
        for _ in range(32):
            admitted.append(users._check_timeout_and_incr("key", limit, timedelta(minutes=1)))  # noqa: PERF401 - threads append

    threads = [Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(admitted) == {True: limit, False: 512 - limit}
