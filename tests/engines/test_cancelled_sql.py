"""A cancelled SQL call runs to its end and keeps its connection, or is interrupted and loses it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

import pytest
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from authx_adapters.sqlalchemy import SQLAlchemyUserStore, cancelling
from authx_contract.samples.users import full_user
from engines.cancelling import Cancel, everywhere
from engines.drivers import Driver, prepare
from engines.test_cancellation import (
    PEOPLE,
    STORES,
    TIMEOUT,
    at_rest,
    both,
    cancel_operations,
    each,
    everybody_is_found,
    numbers,
    seen,
)

SQL: Final = [driver for driver in STORES if driver.kind in {None, "postgres", "mariadb"}]
SAMPLE: Final = ["create", "get", "update to a taken one"]
"""A read of one statement, and writes of several in a transaction."""
DEFAULTS: Final = {"isolation_level": None, "skip_autocommit_rollback": False}
"""The defaults of an SQLAlchemy engine."""

both_ways = pytest.mark.parametrize("options", [{}, DEFAULTS], ids=["autocommit", "defaults"])


def connections(client: AsyncEngine) -> list[object]:
    """Return a list to which every new connection of an engine is added."""
    made = list[object]()
    event.listen(client.sync_engine, "connect", lambda _, record: made.append(record))
    return made


@each(SQL)
@both_ways
async def test_a_cancelled_call_runs_to_its_end_and_keeps_its_connection(
    driver: Driver, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cancellation does not reach the driver."""
    monkeypatch.setattr(cancelling, "GRACE", TIMEOUT)
    async with both(driver, **options) as (url, client, other):
        made = connections(client)
        await cancel_operations(driver, url, client, other, SAMPLE)
        assert len(made) == 1


@each(SQL)
@both_ways
async def test_an_interrupted_call_takes_full_effect_or_none(
    driver: Driver, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancelling, "GRACE", 0)
    async with both(driver, **options) as (url, client, other):
        await cancel_operations(driver, url, client, other, SAMPLE)


@each([driver for driver in SQL if driver.kind])
async def test_a_driver_that_swallows_a_cancellation_loses_its_connection(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As psycopg does in its pipeline: the next call would find the connection busy, or read this call's reply."""
    monkeypatch.setattr(cancelling, "GRACE", 0)
    async with both(driver) as (url, client, other):
        store, witness = driver.users(client, url), driver.users(other, url)
        await prepare(witness)
        for person in PEOPLE:
            await witness.create(person)
        made, swallowed = connections(client), list[object]()

        @event.listens_for(client.sync_engine, "do_execute")
        def _(cursor: Any, statement: str, parameters: Any, _: Any) -> bool:
            try:
                cursor.execute(statement, parameters)
            except asyncio.CancelledError:
                swallowed.append(cursor)
            return True

        async def attempt(cancel: Cancel) -> None:
            await store.get(PEOPLE[0].id)
            made.clear()
            before = len(swallowed)
            await cancel.during(store.get(PEOPLE[1].id))
            await everybody_is_found(store)
            assert made or len(swallowed) == before

        await everywhere(attempt)
        assert swallowed


@each(SQL)
async def test_a_call_cancelled_inside_the_callers_transaction_leaves_all_of_it_or_nothing(driver: Driver) -> None:
    async with both(driver, **DEFAULTS) as (url, client, other):
        witness = driver.users(other, url)
        await prepare(witness)

        async def attempt(cancel: Cancel) -> None:
            first, user = full_user(f"first-{next(numbers)}"), full_user(f"user-{next(numbers)}")
            async with client.connect() as connection:
                store = SQLAlchemyUserStore(connection)
                await store.create(first)
                await cancel.during(store.create(user))
                with suppress(SQLAlchemyError):  # the store had to abandon the transaction
                    await connection.commit()
            await at_rest(client, other)
            committed = await witness.get(first.id)
            assert committed in (first, None)
            assert await seen(witness, user) in (committed and user, None)

        await everywhere(attempt)
