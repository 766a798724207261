"""Each call makes as many round trips, counted on the wire, as docs/round-trips.md says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import pytest

from authx_adapters.clock import ManualClock
from authx_adapters.common.settle import settle
from authx_adapters.sqlalchemy import SQLAlchemyUserStore
from authx_contract.samples.users import full_user, make_user
from authx_core import (
    NEXT,
    AuthxError,
    EmailTaken,
    InvalidValue,
    SocialIdentity,
    SocialTaken,
    StaleUser,
    UsernameTaken,
    UserNotFound,
    UserQuery,
)
from authx_core.ports import Cache, UserStore
from engines.drivers import DRIVERS, KEEPING_USERS, SQL, Driver, prepare
from engines.trips import Meter, metered

P = TypeVar("P")
Call: TypeAlias = Callable[[P, int], Awaitable[object]]

PAGE: Final = Path(__file__).parents[2] / "docs/round-trips.md"
ENGINES: Final = {
    None: "SQLite",
    "postgres": "PostgreSQL",
    "mariadb": "MariaDB",
    "mongodb": "MongoDB",
    "mongodb-replica-set": "MongoDB",
    "redis": "Redis",
    "redis-cluster": "Redis Cluster",
}
WARM: Final = 2
CALLS: Final = 4
"""Calls, of which the first `WARM` may cost more."""
MINUTE: Final = timedelta(minutes=1)
KEYS: Final = [f"key {number}" for number in range(30)]
"""Keys on all nodes of a cluster."""
ANN: Final = full_user("ann")
DOOMED: Final = [full_user(f"doomed-{number}") for number in range(CALLS)]
_numbers: Final = count()


def identities(*subjects: str) -> tuple[SocialIdentity, ...]:
    return tuple(SocialIdentity("gitlab", subject) for subject in subjects)


def unused() -> tuple[SocialIdentity, ...]:
    """Return two social identities that nobody has."""
    return identities(f"new {next(_numbers)}", f"new {next(_numbers)}")


def refused(error: type[AuthxError], call: Call[P]) -> Call[P]:
    async def refusal(port: P, number: int) -> None:
        with pytest.raises(error) as raised:
            await call(port, number)
        assert type(raised.value) is error

    return refusal


USERS: Final[Mapping[str, Call[UserStore]]] = {
    "`get`": lambda store, _: store.get(ANN.id),
    "`get_by_email`": lambda store, _: store.get_by_email("ann@example.com"),
    "`get_by_username`": lambda store, _: store.get_by_username("ann"),
    "`get_by_social`": lambda store, _: store.get_by_social("google", "ann-1"),
    "`search`": lambda store, _: store.search(UserQuery(username_contains="a", permission="read"), limit=100),
    "`count`": lambda store, _: store.count(UserQuery(email_prefix="ann")),
    "`create`": lambda store, _: store.create(make_user()),
    "`create` with two social identities": lambda store, _: store.create(make_user(identities=unused())),
    "`update`": lambda store, _: store.update(ANN.id, {"confirmed": True}),
    "`update` with `expected`": lambda store, _: store.update(
        ANN.id, {"confirmed": True}, expected={"username": "Ann"}
    ),
    "`update` of the epoch by `NEXT`": lambda store, _: store.update(ANN.id, {"epoch": NEXT}),
    "`update` of two social identities": lambda store, _: store.update(ANN.id, {"identities": unused()}),
    "`delete`": lambda store, number: store.delete(DOOMED[number].id),
    "`get_blackout`": lambda store, _: store.get_blackout(),
    "`set_blackout`": lambda store, _: store.set_blackout(ANN.created_at),
    "`set_blackout(None)`": lambda store, _: store.set_blackout(None),
    "`create`: `EmailTaken`": refused(
        EmailTaken, lambda store, _: store.create(make_user(email_key="bob@example.com"))
    ),
    "`create` with two social identities: `EmailTaken`": refused(
        EmailTaken, lambda store, _: store.create(make_user(email_key="bob@example.com", identities=unused()))
    ),
    "`create` with a social identity: `SocialTaken`": refused(
        SocialTaken, lambda store, _: store.create(make_user(identities=identities("carol")))
    ),
    "`update`: `UsernameTaken`": refused(UsernameTaken, lambda store, _: store.update(ANN.id, {"username_key": "bob"})),
    "`update` of a social identity: `SocialTaken`": refused(
        SocialTaken, lambda store, _: store.update(ANN.id, {"identities": identities("carol")})
    ),
    "`update` with `expected`: `StaleUser`": refused(
        StaleUser, lambda store, _: store.update(ANN.id, {"confirmed": True}, expected={"username": "Bob"})
    ),
    "`update` with `expected`: `UserNotFound`": refused(
        UserNotFound, lambda store, _: store.update("nobody", {"confirmed": True}, expected={"username": "Ann"})
    ),
    "`update`: `UserNotFound`": refused(UserNotFound, lambda store, _: store.update("nobody", {"confirmed": True})),
    "`delete` of an unknown id": lambda store, _: store.delete("nobody"),
}
CACHE: Final[Mapping[str, Call[Cache]]] = {
    "`get`": lambda cache, _: cache.get("text"),
    "`get_many` of 30 keys": lambda cache, _: cache.get_many(KEYS),
    "`set`": lambda cache, number: cache.set(KEYS[number], "1", ttl=MINUTE),
    "`add`": lambda cache, number: cache.add(f"added {number}", "value", ttl=MINUTE),
    "`add` of an existing key": lambda cache, _: cache.add("text", "value", ttl=MINUTE),
    "`pop`": lambda cache, number: cache.pop(f"added {number}"),
    "`delete`": lambda cache, number: cache.delete(KEYS[number]),
    "`increment`": lambda cache, _: cache.increment("counter", ttl=MINUTE),
    "`increment` of a text: `InvalidValue`": refused(
        InvalidValue, lambda cache, _: cache.increment("text", ttl=MINUTE)
    ),
    "`increment_many` of 30 keys": lambda cache, _: cache.increment_many(KEYS, ttl=MINUTE),
}
SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    '`create_engine(url, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)`': {},
    '`create_engine(url, isolation_level="AUTOCOMMIT")`': {"skip_autocommit_rollback": False},
    "`create_engine(url)`": {"isolation_level": None, "skip_autocommit_rollback": False},
}
JOINED: Final = {
    "a connection in the caller's transaction, reading": USERS["`get`"],
    "a connection in the caller's transaction, writing": USERS["`create`"],
}


@pytest.mark.parametrize("driver", KEEPING_USERS, ids=str)
async def test_user_store_calls_cost_what_the_page_says(driver: Driver) -> None:
    with driver.space() as url:
        async with metered(driver, url) as (client, meter):
            store = driver.users(client, url)
            await prepare(store)
            for user in (ANN, full_user("bob"), make_user(identities=identities("carol")), *DOOMED):
                await store.create(user)
            costs = {name: await cost(meter, call, store) for name, call in USERS.items()}
    assert costs == documented(driver, "Users")


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=str)
async def test_cache_calls_cost_what_the_page_says(driver: Driver, clock: ManualClock) -> None:
    with driver.space() as url:
        async with metered(driver, url) as (client, meter):
            cache = driver.cache(client, url, clock)
            await prepare(cache)
            await cache.set("text", "value", ttl=MINUTE)
            costs = {name: await cost(meter, call, cache) for name, call in CACHE.items()}
    assert costs == documented(driver, "Cache")


@pytest.mark.parametrize("driver", SQL, ids=str)
async def test_the_settings_of_a_sql_engine_cost_what_the_page_says(driver: Driver) -> None:
    costs: dict[str, int] = {}
    with driver.space() as url:
        for name, options in SETTINGS.items():
            async with metered(driver, url, **options) as (engine, meter):
                store = driver.users(engine, url)
                await prepare(store)
                costs[name] = await cost(meter, USERS["`get`"], store)
                assert await cost(meter, USERS["`create`"], store) == costs[name]
        async with metered(driver, url, isolation_level=None) as (engine, meter):
            for name, call in JOINED.items():
                costs[name] = await cost_inside(engine, meter, call)
    assert costs == documented(driver, "Settings of a SQL engine")


async def cost(meter: Meter, call: Call[P], port: P) -> int:
    """Return the cost of a call once the driver knows its statements."""
    return steady([await spent(meter, call(port, number)) for number in range(CALLS)])


async def cost_inside(engine: Any, meter: Meter, call: Call[UserStore]) -> int:
    """Return the cost of a call in a transaction that has already begun."""
    costs = []
    for number in range(CALLS):
        connection = await settle(engine.connect())
        store = SQLAlchemyUserStore(connection)
        await store.get_blackout()
        costs.append(await spent(meter, call(store, number)))
        await settle(connection.close())
    return steady(costs)


async def spent(meter: Meter, call: Awaitable[object]) -> int:
    before = meter()
    await call
    return meter() - before


def steady(costs: Sequence[int]) -> int:
    always = set(costs[WARM:])
    assert len(always) == 1, costs
    return always.pop()


def documented(driver: Driver, heading: str) -> dict[str, int]:
    """Read the costs of a driver's engine under a heading of the page."""
    section = PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    engines = rows[0]
    position = engines.index(ENGINES[driver.kind])
    return {row[0]: int(row[position]) for row in rows if row != engines}
