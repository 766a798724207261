"""A call that is cancelled at any of its awaits takes full effect or none, and disturbs no other call."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import count
from random import Random
from typing import Any, Final, TypeAlias

import attrs
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from authx_adapters.clock import ManualClock
from authx_contract.samples.users import full_user
from authx_core import Cache, SocialIdentity, User, UserQuery, UserStore
from engines.cancelling import MOMENTS, Cancel, everywhere
from engines.drivers import ASYNCHRONOUS, Driver, prepare

TIMEOUT: Final = 60
"""Seconds within which the work of a cancelled call must end."""
MINUTE: Final = timedelta(minutes=1)
CUTOFF: Final = datetime(2026, 1, 1, tzinfo=timezone.utc)
Call: TypeAlias = Callable[[], Awaitable[object]]
CacheCall: TypeAlias = Callable[[Cache, list[str]], Awaitable[object]]
STORES: Final = [driver for driver in ASYNCHRONOUS if driver.keeps_users]
PEOPLE: Final = [full_user(name) for name in ("ana", "bea", "cleo")]
ENTRIES: Final = {name: f"the value of {name}" for name in ("one", "two", "three")}

numbers = count()


@pytest.fixture(autouse=True)
def garbage_collected() -> Iterator[None]:
    """Collect garbage after each test, so that a leaked connection fails the test that opened it."""
    yield
    gc.collect()


def each(drivers: Iterable[Driver]) -> pytest.MarkDecorator:
    """Run a test with each driver. PyMongo drops a socket whose connection attempt is interrupted."""
    unclosed = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
    marked = [pytest.param(driver, marks=unclosed if "pymongo" in driver.name else ()) for driver in drivers]
    return pytest.mark.parametrize("driver", marked, ids=str)


@attrs.frozen
class Operation:
    """A call about a user, and the user before and after it; None if there is none."""

    call: Callable[[UserStore, User], Awaitable[object]]
    before: Callable[[User], User | None] = lambda user: user
    after: Callable[[User], User | None] = lambda user: user


def absent(_: User) -> None:
    return None


def unlinked(user: User) -> User:
    return attrs.evolve(user, identities=())


def renamed(user: User) -> dict[str, Any]:
    """Return changes to one key of each kind."""
    identities = tuple(SocialIdentity(each.provider, f"new-{each.subject}") for each in user.identities)
    return {"email_key": f"new-{user.email_key}", "username_key": f"new-{user.username_key}", "identities": identities}


OPERATIONS: Final = {
    "create": Operation(lambda store, user: store.create(user), before=absent),
    "create unlinked": Operation(lambda store, user: store.create(unlinked(user)), before=absent, after=unlinked),
    "create a taken one": Operation(
        lambda store, user: store.create(attrs.evolve(user, identities=PEOPLE[0].identities)),
        before=absent,
        after=absent,
    ),
    "get": Operation(lambda store, user: store.get(user.id)),
    "get_by_email": Operation(lambda store, user: store.get_by_email(user.email_key or "")),
    "get_by_username": Operation(lambda store, user: store.get_by_username(user.username_key or "")),
    "get_by_social": Operation(lambda store, user: store.get_by_social("google", user.identities[1].subject)),
    "update": Operation(
        lambda store, user: store.update(user.id, {"confirmed": False}, expected={"confirmed": True}),
        after=lambda user: attrs.evolve(user, confirmed=False, version=2),
    ),
    "update keys": Operation(
        lambda store, user: store.update(user.id, renamed(user)),  # type: ignore[arg-type] # a plain dict
        after=lambda user: attrs.evolve(user, **renamed(user), version=2),
    ),
    "update a stale one": Operation(
        lambda store, user: store.update(user.id, {"identities": ()}, expected={"confirmed": False})
    ),
    "update to a taken one": Operation(
        lambda store, user: store.update(user.id, {"confirmed": False, "identities": PEOPLE[0].identities})
    ),
    "delete": Operation(lambda store, user: store.delete(user.id), after=absent),
    "search": Operation(lambda store, user: store.search(UserQuery(email_prefix=user.email_key), limit=9)),
    "count": Operation(lambda store, user: store.count(UserQuery(username_contains=user.username_key))),
}


@each(STORES)
async def test_a_cancelled_store_call_takes_full_effect_or_none(driver: Driver) -> None:
    async with both(driver) as (url, client, other):
        await cancel_operations(driver, url, client, other, OPERATIONS)


@each(STORES)
async def test_a_cancelled_blackout_call_takes_full_effect_or_none(driver: Driver) -> None:
    async with both(driver) as (url, client, other):
        store, witness = driver.users(client, url), driver.users(other, url)
        await prepare(store)

        async def attempt(call: Call, after: datetime | None, cancel: Cancel) -> None:
            await witness.set_blackout(None)
            await witness.set_blackout(CUTOFF)
            await cancel.during(call())
            await at_rest(client, other)
            assert await store.get_blackout() in (CUTOFF, after)
            assert await witness.get_blackout() in (CUTOFF, after)

        calls: list[tuple[Call, datetime | None]] = [
            (store.get_blackout, CUTOFF),
            (partial(store.set_blackout, CUTOFF + MINUTE), CUTOFF + MINUTE),
            (partial(store.set_blackout, None), None),
        ]
        for call, after in calls:
            await everywhere(partial(attempt, call, after))


ON_ENTRIES: Final[list[tuple[CacheCall, list[str | None]]]] = [
    (lambda cache, keys: cache.get_many(keys), ["1", "2", None]),
    (lambda cache, keys: cache.set(keys[0], "text", ttl=MINUTE), ["text", "2", None]),
    (lambda cache, keys: cache.add(keys[2], "text", ttl=MINUTE), ["1", "2", "text"]),
    (lambda cache, keys: cache.add(keys[0], "text", ttl=MINUTE), ["1", "2", None]),
    (lambda cache, keys: cache.pop(keys[0]), [None, "2", None]),
    (lambda cache, keys: cache.delete(keys[1]), ["1", None, None]),
    (lambda cache, keys: cache.increment_many(keys, by=5, ttl=MINUTE), ["6", "7", "5"]),
]
"""A call on three keys that hold 1, 2 and nothing, and their values after it."""


@each(ASYNCHRONOUS)
async def test_a_cancelled_cache_call_takes_full_effect_or_none(driver: Driver, clock: ManualClock) -> None:
    async with both(driver) as (url, client, other):
        cache, witness = driver.cache(client, url, clock), driver.cache(other, url, clock)
        await prepare(cache)
        for key, value in ENTRIES.items():
            await cache.set(key, value, ttl=MINUTE)

        async def attempt(call: CacheCall, result: list[str | None], cancel: Cancel) -> None:
            keys = [f"key {next(numbers)}" for _ in range(3)]
            await witness.set(keys[0], "1", ttl=MINUTE)
            await witness.set(keys[1], "2", ttl=MINUTE)
            await cancel.during(call(cache, keys))
            await every_entry_is_found(cache)
            await at_rest(client, other)
            for found, before, after in zip(await witness.get_many(keys), ["1", "2", None], result, strict=True):
                assert found in (before, after)
            assert await without_deadline(driver, other, url) == []

        for call, result in ON_ENTRIES:
            await everywhere(partial(attempt, call, result))


@each(STORES)
async def test_a_store_cancelled_while_connecting_connects_again(driver: Driver) -> None:
    with driver.space() as url:
        async with driver.client(url) as other:
            witness = driver.users(other, url)
            await prepare(witness)
            for person in PEOPLE:
                await witness.create(person)

            async def attempt(cancel: Cancel) -> None:
                async with driver.client(url, **driver.single) as client:
                    store = driver.users(client, url)
                    await cancel.during(store.get(PEOPLE[0].id))
                    await everybody_is_found(store)
                    await at_rest(client, other)

            await everywhere(attempt)


@each([driver for driver in ASYNCHRONOUS if not driver.keeps_users])
async def test_a_cache_cancelled_while_connecting_connects_again(driver: Driver, clock: ManualClock) -> None:
    with driver.space() as url:
        async with driver.client(url) as other:
            for key, value in ENTRIES.items():
                await driver.cache(other, url, clock).set(key, value, ttl=MINUTE)

            async def attempt(cancel: Cancel) -> None:
                async with driver.client(url, **driver.single) as client:
                    cache = driver.cache(client, url, clock)
                    await cancel.during(cache.get("one"))
                    await every_entry_is_found(cache)

            await everywhere(attempt)


@each(ASYNCHRONOUS)
async def test_cancellations_never_pass_a_reply_to_another_caller(driver: Driver, clock: ManualClock) -> None:
    random = Random(2026)  # noqa: S311 - seeded, so that runs repeat
    values = {f"key {number}": f"value {number}" for number in range(20)}
    with driver.space() as url:
        async with driver.client(url) as client:
            cache = driver.cache(client, url, clock)
            await prepare(cache)
            for key, value in values.items():
                await cache.set(key, value, ttl=MINUTE)

            async def read(key: str) -> None:
                for _ in range(10):
                    cancel = Cancel(random.randint(1, 4), random.choice(MOMENTS))
                    await cancel.during(cache.get_many([key]))
                    assert await cache.get_many([key]) == [values[key]]

            async with asyncio.timeout(TIMEOUT), asyncio.TaskGroup() as readers:
                for key in values:
                    readers.create_task(read(key))


@asynccontextmanager
async def both(driver: Driver, **options: Any) -> AsyncGenerator[tuple[str, Any, Any], None]:
    """Lend a space, a client with one connection whose calls are cancelled, and a second client."""
    with driver.space() as url:
        async with driver.client(url, **driver.single, **options) as client, driver.client(url) as other:
            yield url, client, other


async def cancel_operations(driver: Driver, url: str, client: Any, other: Any, names: Iterable[str]) -> None:
    store, witness = driver.users(client, url), driver.users(other, url)
    await prepare(witness)
    for person in PEOPLE:
        await witness.create(person)

    async def attempt(operation: Operation, cancel: Cancel) -> None:
        user = full_user(f"user-{next(numbers)}")
        before, after = operation.before(user), operation.after(user)
        if before:
            await witness.create(before)
        await cancel.during(operation.call(store, user))
        await everybody_is_found(store)
        await at_rest(client, other)
        assert await seen(witness, user, before, after) in (before, after)

    for name in names:
        await everywhere(partial(attempt, OPERATIONS[name]))


async def everybody_is_found(store: UserStore) -> None:
    """Read several people on one connection; a leftover reply would be somebody else's."""
    async with asyncio.timeout(TIMEOUT):
        for person in PEOPLE:
            assert await store.get(person.id) == person
            assert await store.get_by_username(person.username_key or "") == person


async def every_entry_is_found(cache: Cache) -> None:
    async with asyncio.timeout(TIMEOUT):
        for key, value in ENTRIES.items():
            assert await cache.get(key) == value
        assert await cache.get_many(list(ENTRIES)) == list(ENTRIES.values())


async def seen(witness: UserStore, user: User, *others: User | None) -> User | None:
    """Return the stored user, after checking that exactly their keys find them."""
    found = await witness.get(user.id)
    owners = {key: await getattr(witness, f"get_by_{key[0]}")(*key[1:]) for key in _keys(user, found, *others)}
    if await witness.get(user.id) != found:  # in MongoDB the cancelled write may still be running
        return await seen(witness, user, *others)
    assert owners == {key: found if key in _keys(found) else None for key in owners}
    return found


def _keys(*users: User | None) -> set[tuple[str, ...]]:
    """Return all keys, each with its kind first."""
    there = [user for user in users if user]
    return {
        *(("email", user.email_key or "") for user in there),
        *(("username", user.username_key or "") for user in there),
        *(("social", each.provider, each.subject) for user in there for each in user.identities),
    }


SESSIONS: Final = {
    "postgresql": "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mariadb": """
        SELECT if(trx_id IS NULL, command, 'transaction')
        FROM information_schema.processlist LEFT JOIN information_schema.innodb_trx ON trx_mysql_thread_id = id
        WHERE db = database() AND id <> connection_id()""",
    "sqlite": "BEGIN IMMEDIATE",
}
IDLE: Final[list[list[str]]] = [[], ["idle"], ["Sleep"]]
"""At most one connection, idle in the pool."""


async def at_rest(client: Any, other: Any) -> None:
    """Wait until no connection is checked out, and the server has no session but the idle one of the pool."""
    if isinstance(client, AsyncEngine):
        async with asyncio.timeout(TIMEOUT):
            while True:
                checked_out = client.pool.checkedout()  # type: ignore[attr-defined] # a `QueuePool` has it
                if not checked_out and await sessions(other) in IDLE:
                    return
                gc.collect()  # psycopg leaves an unfinished connection to the garbage collector


async def sessions(other: AsyncEngine) -> list[str]:
    """Return the states of the other sessions; on SQLite, take the write lock, which nobody may hold."""
    async with other.connect() as connection:
        result = await connection.execute(text(SESSIONS[other.dialect.name]))
        if not result.returns_rows:
            await connection.execute(text("ROLLBACK"))
            return []
        return list(result.scalars())


async def without_deadline(driver: Driver, other: Any, url: str) -> list[object]:
    """Return the entries that never expire; in SQL, a NOT NULL column rules them out."""
    if driver.kind in {"mongodb", "mongodb-replica-set"}:
        found: list[object] = await other.get_default_database()["authx_cache"].find({"deadline": None}).to_list()
        return found
    if driver.keeps_users:
        return []
    keys = [key async for key in other.scan_iter(f"{url.partition('#')[2]}*")]
    return [key for key in keys if await other.pttl(key) < 0]
