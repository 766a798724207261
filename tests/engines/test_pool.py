"""A pool of one connection serves all callers in turn: no call needs a second connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any, Final

import pytest

from authx_adapters.clock import ManualClock
from authx_contract.samples.users import full_user
from authx_core import AuthxError, SocialIdentity, User, UserQuery, UserStore, run
from engines.drivers import DRIVERS, KEEPING_USERS, Driver, prepare

AT_ONCE: Final = 200
TIMEOUT: Final = 60
"""Seconds after which a call counts as hung."""
MINUTE: Final = timedelta(minutes=1)

USES: Final[list[tuple[str, Callable[[UserStore, User], Coroutine[Any, Any, object]]]]] = [
    ("User", lambda store, user: store.create(full_user(f"new-{user.username_key}"))),
    ("EmailTaken", lambda store, user: store.create(user)),
    ("User", lambda store, user: store.update(user.id, {"identities": (SocialIdentity("gitlab", user.id),)})),
    ("StaleUser", lambda store, user: store.update(user.id, {"confirmed": True}, expected={"epoch": 7})),
    ("EmailTaken", lambda store, user: store.update(user.id, {"email_key": "everybody@example.com"})),
    ("User", lambda store, user: store.get_by_email(user.email_key or "")),
    ("list", lambda store, user: store.search(UserQuery(id=user.id), limit=1)),
    ("bool", lambda store, user: store.delete(f"not {user.id}")),
]
"""Calls of one statement, of a transaction, and of one more statement to explain a failure; each with its outcome."""


@pytest.mark.parametrize("driver", KEEPING_USERS, ids=str)
async def test_a_store_with_one_connection_serves_200_callers_at_once(driver: Driver) -> None:
    with driver.space() as url:
        async with driver.client(url, **driver.single) as client:
            store = driver.users(client, url)
            await prepare(store)
            await store.create(full_user("everybody"))
            users = [await store.create(full_user(f"user-{number}")) for number in range(AT_ONCE // len(USES))]
            calls = [(use, user) for user in users for _, use in USES]

            async def call(number: int) -> str:
                use, user = calls[number]
                try:
                    return type(await use(store, user)).__name__
                except AuthxError as error:
                    return type(error).__name__

            assert await at_once(driver, call) == [outcome for _ in users for outcome, _ in USES]


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=str)
async def test_a_cache_with_one_connection_serves_200_callers_at_once(driver: Driver, clock: ManualClock) -> None:
    with driver.space() as url:
        async with driver.client(url, **driver.single) as client:
            cache = driver.cache(client, url, clock)
            await prepare(cache)

            async def call(_: int) -> str:
                return str(await cache.increment_many(["everybody", "likewise"], ttl=MINUTE))

            counts = await at_once(driver, call)
            assert await cache.get_many(["everybody", "likewise"]) == [str(AT_ONCE)] * 2
            assert len(set(counts)) == AT_ONCE or driver.kind in NOT_ATOMIC


NOT_ATOMIC: Final = {"mongodb", "mongodb-replica-set", "redis-cluster"}
"""Engines that increment keys one by one, so that two callers may get the same pair of counts."""


async def at_once(driver: Driver, call: Callable[[int], Coroutine[Any, Any, str]]) -> list[str]:
    """Make all calls at once, each from its own task or thread."""
    if driver.blocking:
        start = Barrier(AT_ONCE)

        def work(number: int) -> str:
            start.wait(TIMEOUT)
            return run(call(number))

        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(work, range(AT_ONCE), timeout=TIMEOUT))
    async with asyncio.timeout(TIMEOUT):
        return await asyncio.gather(*map(call, range(AT_ONCE)))
