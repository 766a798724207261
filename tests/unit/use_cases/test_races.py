"""Another writer changes a user between a read and the write that follows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, TypeAlias

import pytest
from passlib.context import CryptContext

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache, MemoryUserStore
from authx_adapters.passlib import PasslibHasher
from authx_core import (
    NEXT,
    Event,
    InvalidPassword,
    InvalidToken,
    InvalidValue,
    NewUser,
    Secret,
    StaleUser,
    StoreUnavailable,
    User,
    UserFields,
    UsersRepo,
)

TOKEN, PASSWORD, OTHER = "Yp3vQ0s8kXo5cWb1Zr7TgLd2nJf4hUe6AaMiKtBxRwE", "correct horse battery", "another horse battery"
Meddle: TypeAlias = Callable[[MemoryUserStore], Awaitable[Any]]


class Meddled(MemoryUserStore):
    """A store in which another writer acts before each of the next `times` updates."""

    def __init__(self) -> None:
        super().__init__()
        self.meddle: Meddle | None = None
        self.times = 0
        self.calls: list[str] = []
        self.snapshot: User | None = None

    async def get(self, user_id: str, /) -> User | None:
        self.calls.append("get")
        return self.snapshot or await super().get(user_id)

    async def update(self, user_id: str, changes: Any, /, *, expected: UserFields | None = None) -> User:
        self.calls.append("update")
        if self.meddle is not None and self.times > 0:
            self.times -= 1
            meddle, self.meddle = self.meddle, None
            calls = [*self.calls]
            await meddle(self)
            self.meddle, self.calls = meddle, calls
        return await super().update(user_id, changes, expected=expected)

    def expect(self, meddle: Meddle, times: int = 1) -> None:
        self.meddle, self.times = meddle, times


@pytest.fixture
def store() -> Meddled:
    return Meddled()


@pytest.fixture
def users(store: Meddled, clock: ManualClock, hasher: PasslibHasher, published: list[Event]) -> UsersRepo:
    return UsersRepo(store, MemoryCache(clock), [published.append], clock=clock, hasher=hasher)


@pytest.fixture
def outdated() -> NewUser:
    context = CryptContext(["argon2"], argon2__time_cost=1, argon2__memory_cost=32, argon2__parallelism=1)
    return NewUser(username="ana", password_hash=context.hash(PASSWORD))


def raising_the_epoch(user_id: str) -> Meddle:
    return lambda store: store.update(user_id, {"epoch": NEXT})


def permitting(user_id: str) -> Meddle:
    numbers = count()

    async def permit(store: MemoryUserStore) -> None:
        await store.update(user_id, {"permissions": frozenset({f"other {next(numbers)}"})})

    return permit


async def test_a_change_is_decided_again_after_another_writer(users: UsersRepo, store: Meddled) -> None:
    ana = await users.create({"username": "ana"})
    store.expect(permitting(ana.id), 3)
    assert (await users.add_permissions(ana.id, ["write"])).permissions == {"other 2", "write"}


async def test_a_change_gives_up_after_a_thousand_other_writers(users: UsersRepo, store: Meddled) -> None:
    ana = await users.create({"username": "ana"})
    store.expect(permitting(ana.id), 3000)
    with pytest.raises(StaleUser):
        await users.add_permissions(ana.id, ["write"])
    assert store.times == 3000 - 1000


async def test_a_change_gives_up_at_once_in_a_snapshot_that_hides_the_other_writer(
    users: UsersRepo, store: Meddled
) -> None:
    ana = await users.create({"username": "ana"})
    store.snapshot = ana
    store.expect(permitting(ana.id), 3000)
    with pytest.raises(StaleUser):
        await users.add_permissions(ana.id, ["write"])
    assert store.times == 3000 - 1


async def test_a_kick_neither_reads_nor_retries(users: UsersRepo, store: Meddled) -> None:
    ana = await users.create({"username": "ana"})
    store.expect(raising_the_epoch(ana.id), 3)
    store.calls.clear()
    assert (await users.kick(ana.id)).epoch == ana.epoch + 2
    assert store.calls == ["update"]


async def test_a_kick_whose_epoch_cannot_rise_is_refused(
    users: UsersRepo, store: Meddled, published: list[Event]
) -> None:
    ana = await users.create({"username": "ana"})
    last = await store.update(ana.id, {"epoch": 2**63 - 1})
    published.clear()
    for operation in (users.kick, users.blacklist, users.toggle_blacklist):
        with pytest.raises(InvalidValue, match="cannot rise"):
            await operation(ana.id)
    assert await users.get(ana.id) == last
    assert published == []


@pytest.mark.parametrize("end", ["delete", "kick", "blacklist"])
async def test_a_reset_fails_if_its_link_becomes_void_meanwhile(users: UsersRepo, store: Meddled, end: str) -> None:
    ana = await users.create({"username": "ana", "password": PASSWORD})
    await users.set_password_reset_token(ana.id, TOKEN)
    meddling: dict[str, Meddle] = {
        "delete": lambda store: store.delete(ana.id),
        "kick": raising_the_epoch(ana.id),
        "blacklist": lambda store: store.update(ana.id, {"active": False}),
    }
    store.expect(meddling[end])
    with pytest.raises(InvalidToken):
        await users.reset_password(TOKEN, OTHER)
    assert await users.authenticate("ana", OTHER) is None


async def test_a_confirmation_fails_if_the_address_changes_meanwhile(users: UsersRepo, store: Meddled) -> None:
    ana = await users.create({"email": "ana@example.com"})
    token = await users.request_email_confirmation("ana@example.com")
    store.expect(lambda store: store.update(ana.id, {"email": "eve@example.com", "email_key": "eve@example.com"}))
    assert not await users.confirm_email(token)
    after = await users.get(ana.id)
    assert after is not None
    assert not after.confirmed


async def test_a_failed_rehash_does_not_fail_the_login(
    users: UsersRepo, store: Meddled, outdated: NewUser, caplog: pytest.LogCaptureFixture
) -> None:
    ana = await users.create(outdated)

    async def fail(_: MemoryUserStore) -> None:
        raise StoreUnavailable

    store.expect(fail)
    assert await users.authenticate("ana", PASSWORD) == ana
    assert f"the password hash of user {ana.id} stays outdated" in caplog.text


async def test_a_rehash_never_restores_an_old_password(users: UsersRepo, store: Meddled, outdated: NewUser) -> None:
    ana = await users.create(outdated)
    store.expect(lambda store: store.update(ana.id, {"password_hash": Secret("$new$")}))
    assert await users.authenticate("ana", PASSWORD) is None
    after = await users.get(ana.id)
    assert after is not None
    assert after.password_hash == Secret("$new$")


async def test_a_password_must_not_be_a_name_that_changed_while_it_was_hashed(
    store: Meddled, clock: ManualClock, hasher: PasslibHasher
) -> None:
    class Slow(PasslibHasher):
        async def hash(self, password: str, /) -> str:
            await store.update(ana.id, {"username": "a horse of course", "username_key": "a horse of course"})
            return await hasher.hash(password)

    users = UsersRepo(store, MemoryCache(clock), clock=clock, hasher=Slow())
    ana = await users.create({"username": "ana"})
    with pytest.raises(InvalidPassword):
        await users.set_password(ana.id, "a horse of course")
    await users.set_password_reset_token(ana.id, TOKEN)
    with pytest.raises(InvalidPassword):
        await users.reset_password(TOKEN, "A Horse of Course")
    assert await users.get_password_status(ana.id) == "set"


async def test_a_user_who_is_kicked_while_logging_in_has_the_new_epoch(
    store: Meddled, clock: ManualClock, hasher: PasslibHasher, outdated: NewUser
) -> None:
    class Slow(PasslibHasher):
        async def hash(self, password: str, /) -> str:
            await users.kick(ana.id)
            return await hasher.hash(password)

    users = UsersRepo(store, MemoryCache(clock), clock=clock, hasher=Slow())
    ana = await users.create(outdated)
    logged_in = await users.authenticate("ana", PASSWORD)
    assert logged_in == await users.get(ana.id)
    assert logged_in is not None
    assert logged_in.epoch == ana.epoch + 1
