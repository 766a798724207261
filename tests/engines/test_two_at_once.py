"""The facade with hundreds of concurrent calls, and with changes during a password check, on every engine."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Final, cast

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.memory import MemoryCache
from authx_core import (
    BlackoutSet,
    Event,
    LastCredential,
    LoginFailed,
    NewUser,
    PasswordHasher,
    Secret,
    SocialIdentity,
    User,
    UserBlacklisted,
    UserKicked,
    UsersRepo,
    UserStore,
    Verification,
    run,
)
from engines.drivers import KEEPING_USERS, Driver, prepare

CALLERS: Final = 300
THREADS: Final = 16
PASSWORD: Final = "purple elephants dance"
TIMEOUT: Final = 120.0
Change = Callable[[UserStore], Awaitable[Any]]


class Counted:
    """A store that counts its calls."""

    def __init__(self, store: UserStore) -> None:
        self._store = store
        self.calls = Counter[str]()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def call(*args: object, **options: object) -> object:
            self.calls[name] += 1
            return await method(*args, **options)

        return call


class Hasher(PasswordHasher):
    """Hashes by prefixing a number, and runs the callbacks of a test meanwhile."""

    def __init__(self) -> None:
        self.current = 1
        self.while_verifying: list[Callable[[], Awaitable[Any]]] = []
        self.while_hashing: list[Callable[[], Awaitable[Any]]] = []

    async def hash(self, password: str, /) -> str:
        while self.while_hashing:
            await self.while_hashing.pop()()
        return f"${self.current}${password}"

    async def verify(self, password: str, password_hash: str, /) -> Verification:
        while self.while_verifying:
            await self.while_verifying.pop()()
        _, number, text = password_hash.split("$")
        return Verification(ok=text == password, outdated=int(number) < self.current)


class Setup:
    """A repository on an engine, and the events that it published."""

    def __init__(self, driver: Driver, store: UserStore, clock: ManualClock) -> None:
        self.driver = driver
        self.counted, self.hasher = Counted(store), Hasher()
        self.published: list[Event] = []
        self.users = UsersRepo(
            cast("UserStore", self.counted),
            MemoryCache(clock),
            [self.published.append],
            clock=clock,
            hasher=self.hasher,
        )

    async def at_once(self, calls: list[Callable[[], Coroutine[Any, Any, Any]]]) -> list[Any]:
        """Make all calls at once, on threads if the client is blocking, otherwise in tasks."""
        async with asyncio.timeout(TIMEOUT):
            if not self.driver.blocking:
                return await asyncio.gather(*(call() for call in calls))
            loop = asyncio.get_running_loop()
            with ThreadPoolExecutor(THREADS) as threads:
                return await asyncio.gather(*(loop.run_in_executor(threads, partial(_run, call)) for call in calls))


def _run(call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return run(call())


@asynccontextmanager
async def opened(driver: Driver, clock: ManualClock) -> AsyncIterator[Setup]:
    with driver.space() as url:
        async with driver.client(url) as client:
            store = driver.users(client, url)
            await prepare(store)
            yield Setup(driver, store, clock)


@pytest.mark.parametrize("driver", KEEPING_USERS, ids=str)
async def test_each_of_300_concurrent_kicks_is_one_call_and_takes_effect(driver: Driver, clock: ManualClock) -> None:
    async with opened(driver, clock) as setup:
        ann = await setup.users.create({"username": "ann"})
        setup.published.clear()
        setup.counted.calls.clear()
        kicked = await setup.at_once([partial(setup.users.kick, ann.id)] * CALLERS)
        assert setup.counted.calls == {"update": CALLERS}
        epochs = range(ann.epoch + 1, ann.epoch + 1 + CALLERS)
        assert sorted(user.epoch for user in kicked) == list(epochs)
        versions = range(ann.version + 1, ann.version + 1 + CALLERS)
        assert sorted(event.user.version for event in setup.published if isinstance(event, UserKicked)) == list(
            versions
        )
        after = await setup.users.get(ann.id)
        assert after is not None
        assert (after.epoch, after.version) == (ann.epoch + CALLERS, ann.version + CALLERS)


@pytest.mark.parametrize("driver", KEEPING_USERS, ids=str)
async def test_one_of_many_concurrent_blacklistings_takes_effect_and_none_fails(
    driver: Driver, clock: ManualClock
) -> None:
    async with opened(driver, clock) as setup:
        ann = await setup.users.create({"username": "ann"})
        setup.published.clear()
        blacklisted = await setup.at_once([partial(setup.users.blacklist, ann.id)] * 50)
        assert {(user.active, user.epoch) for user in blacklisted} == {(False, ann.epoch + 1)}
        assert setup.published == [UserBlacklisted(user=blacklisted[0])]


@pytest.mark.parametrize("driver", KEEPING_USERS, ids=str)
async def test_the_last_published_cut_off_is_the_latest(driver: Driver, clock: ManualClock) -> None:
    async with opened(driver, clock) as setup:
        cutoffs = [clock.now() + timedelta(microseconds=number * 7 % 50) for number in range(50)]
        standing = await setup.at_once([partial(setup.users.set_blackout, ts) for ts in cutoffs])
        assert setup.counted.calls == {"set_blackout": len(cutoffs)}
        assert all(stands >= given for stands, given in zip(standing, cutoffs, strict=True))
        cutoffs_published = [event.cutoff for event in setup.published if isinstance(event, BlackoutSet)]
        assert cutoffs_published[-1] == max(cutoffs) == await setup.users.get_blackout()


@pytest.mark.parametrize("driver", KEEPING_USERS, ids=str)
async def test_no_permission_or_account_added_concurrently_is_lost(driver: Driver, clock: ManualClock) -> None:
    names = [f"each:{number}" for number in range(20)]
    async with opened(driver, clock) as setup:
        ann = await setup.users.create({"username": "ann", "password": PASSWORD})
        await setup.at_once([partial(setup.users.add_permissions, ann.id, [name]) for name in names])
        await setup.at_once([partial(setup.users.link_social, ann.id, "google", name) for name in names])
        after = await setup.users.get(ann.id)
        assert after is not None
        assert after.permissions == set(names)
        assert {identity.subject for identity in after.identities} == set(names)
        assert after.version == ann.version + 2 * len(names)


@pytest.mark.parametrize("driver", KEEPING_USERS, ids=str)
async def test_one_of_two_who_unlink_the_last_two_accounts_is_refused(driver: Driver, clock: ManualClock) -> None:
    async with opened(driver, clock) as setup:
        ann = await setup.users.create(
            NewUser(identities=(SocialIdentity("google", "1"), SocialIdentity("github", "2")))
        )

        async def unlink(provider: str, sid: str) -> bool:
            try:
                await setup.users.unlink_social(ann.id, provider, sid)
            except LastCredential:
                return False
            return True

        assert sorted(await setup.at_once([partial(unlink, "google", "1"), partial(unlink, "github", "2")])) == [
            False,
            True,
        ]


CHANGES: Final[dict[str, tuple[Callable[[str], Change], str | None]]] = {
    "blacklisted": (lambda id_: lambda users: users.update(id_, {"active": False}), "blacklisted"),
    "deleted": (lambda id_: lambda users: users.delete(id_), "unknown"),
    "given another password": (
        lambda id_: lambda users: users.update(id_, {"password_hash": Secret("$2$another horse")}),
        "password",
    ),
    "given the same password again": (
        lambda id_: lambda users: users.update(id_, {"password_hash": Secret(f"$2${PASSWORD}")}),
        None,
    ),
    "given more permissions": (lambda id_: lambda users: users.update(id_, {"permissions": frozenset({"read"})}), None),
    "given other fields": (lambda id_: lambda users: users.update(id_, {"extra": {"seen": True}}), None),
}


@pytest.mark.parametrize("outdated", [False, True], ids=["current", "outdated"])
@pytest.mark.parametrize("driver", KEEPING_USERS, ids=str)
async def test_a_login_uses_the_user_as_stored_after_the_password_check(
    driver: Driver, clock: ManualClock, *, outdated: bool
) -> None:
    async with opened(driver, clock) as setup:
        for number, (change, failure) in enumerate(CHANGES.values()):
            name = f"person-{number}"
            setup.hasher.current = 1
            ann = await setup.users.create({"username": name, "password": PASSWORD})
            setup.hasher.current = 2 if outdated else 1
            setup.published.clear()
            callbacks = setup.hasher.while_hashing if outdated else setup.hasher.while_verifying
            callbacks.append(partial(change(ann.id), setup.users.database))
            user = await setup.users.authenticate(name, PASSWORD)
            stored = await setup.users.get(ann.id)
            if failure is None:
                assert isinstance(user, User)
                assert user == stored
                assert [event.name for event in setup.published] == ["logged_in"]
            else:
                assert user is None
                known = None if failure == "unknown" else ann.id
                assert setup.published == [LoginFailed(user_id=known, ip=None, reason=failure)]  # type: ignore[arg-type]  # one of the literals
