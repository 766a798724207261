"""A cancelled call in SQL either ends by itself, and its connection serves on, or is cut short, and costs it."""

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
    PATIENCE,
    PEOPLE,
    STORES,
    at_rest,
    both,
    cancel_operations,
    each,
    everybody_is_found,
    numbers,
    seen,
)

SQL: Final = [driver for driver in STORES if driver.kind in {None, "postgres", "mariadb"}]
TELLING: Final = ["create", "get", "update to a taken one"]
"""One statement, and several of which each is kept or none."""
SHARED: Final = {"isolation_level": None, "skip_autocommit_rollback": False}
"""What SQLAlchemy's engines are without further ado."""

both_ways = pytest.mark.parametrize("options", [{}, SHARED], ids=["autocommit", "shared"])


def connections(client: AsyncEngine) -> list[object]:
    """Note every connection that an engine makes from now on."""
    made = list[object]()
    event.listen(client.sync_engine, "connect", lambda _, record: made.append(record))
    return made


@each(SQL)
@both_ways
async def test_a_cancelled_call_ends_by_itself_and_costs_no_connection(
    driver: Driver, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its driver does not even hear of it."""
    monkeypatch.setattr(cancelling, "GRACE", PATIENCE)
    async with both(driver, **options) as (url, client, other):
        made = connections(client)
        await cancel_operations(driver, url, client, other, TELLING)
        assert len(made) == 1


@each(SQL)
@both_ways
async def test_a_call_that_is_cut_short_is_done_wholly_or_not_at_all(
    driver: Driver, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancelling, "GRACE", 0)
    async with both(driver, **options) as (url, client, other):
        await cancel_operations(driver, url, client, other, TELLING)


@each([driver for driver in SQL if driver.kind])
async def test_a_driver_that_forgets_a_cancellation_loses_its_connection(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As psycopg does in its pipeline: the next call would find the connection busy, or the answer of this one."""
    monkeypatch.setattr(cancelling, "GRACE", 0)
    async with both(driver) as (url, client, other):
        store, witness = driver.users(client, url), driver.users(other, url)
        await prepare(witness)
        for person in PEOPLE:
            await witness.create(person)
        made, forgotten = connections(client), list[object]()

        @event.listens_for(client.sync_engine, "do_execute")
        def _(cursor: Any, statement: str, parameters: Any, _: Any) -> bool:
            try:
                cursor.execute(statement, parameters)
            except asyncio.CancelledError:
                forgotten.append(cursor)
            return True

        async def attempt(cancel: Cancel) -> None:
            await store.get(PEOPLE[0].id)
            made.clear()
            before = len(forgotten)
            await cancel.during(store.get(PEOPLE[1].id))
            await everybody_is_found(store)
            assert made or len(forgotten) == before

        await everywhere(attempt)
        assert forgotten


@each(SQL)
async def test_a_call_cancelled_inside_the_callers_transaction_leaves_all_of_it_or_nothing(driver: Driver) -> None:
    async with both(driver, **SHARED) as (url, client, other):
        witness = driver.users(other, url)
        await prepare(witness)

        async def attempt(cancel: Cancel) -> None:
            first, user = full_user(f"first-{next(numbers)}"), full_user(f"user-{next(numbers)}")
            async with client.connect() as connection:
                store = SQLAlchemyUserStore(connection)
                await store.create(first)
                await cancel.during(store.create(user))
                with suppress(SQLAlchemyError):  # it had to give up the transaction
                    await connection.commit()
            await at_rest(client, other)
            committed = await witness.get(first.id)
            assert committed in (first, None)
            assert await seen(witness, user) in (committed and user, None)

        await everywhere(attempt)
