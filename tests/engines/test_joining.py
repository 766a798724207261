"""A store in the caller's transaction, which the caller alone commits or rolls back."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Any

import attrs
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from authx_adapters.common.settle import settle
from authx_adapters.sqlalchemy import SQLAlchemyUserStore
from authx_core import EmailTaken, IdentifierTaken, InvalidValue, SocialIdentity, SocialTaken, StaleUser, User
from engines.drivers import SQL, Driver, prepare

NOW = datetime(2026, 1, 1, 12, 30, 45, 123456, tzinfo=timezone.utc)
ORDERS = text("CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id VARCHAR(255))")


def ana(**fields: Any) -> User:
    user = User(id="ana", email_key="ana@example.com", username_key="ana", created_at=NOW)
    return attrs.evolve(user, **fields)


@asynccontextmanager
async def application(driver: Driver, url: str) -> AsyncGenerator[Any, None]:
    """Lend an application's engine, with our tables and one of its own."""
    async with driver.client(url) as engine:
        await prepare(SQLAlchemyUserStore(engine))
    async with driver.client(url, isolation_level="READ COMMITTED" if driver.kind else "SERIALIZABLE") as engine:
        async with begun(engine) as (connection, _):
            await settle(connection.execute(ORDERS))
        yield engine


@asynccontextmanager
async def begun(
    engine: Engine | AsyncEngine, *, client_is: str = "connection", commit: bool = True
) -> AsyncGenerator[Any, None]:
    """Lend a connection or session in a transaction, and a store inside it; then commit or roll back."""
    if client_is == "session":
        client: Any = AsyncSession(engine) if isinstance(engine, AsyncEngine) else Session(engine)
    else:
        client = engine.connect()
        client = await client if isinstance(engine, AsyncEngine) else client
    try:
        yield client, SQLAlchemyUserStore(client)
        await settle(client.commit() if commit else client.rollback())
    finally:
        await settle(client.close())


@pytest.fixture(params=SQL, ids=str)
def driver(request: pytest.FixtureRequest) -> Driver:
    found: Driver = request.param
    return found


@pytest.mark.parametrize("client_is", ["connection", "session"])
async def test_a_user_and_the_applications_own_row_are_committed_together(driver: Driver, client_is: str) -> None:
    with driver.space() as url:
        async with application(driver, url) as engine:
            async with begun(engine, client_is=client_is) as (client, store):
                user = await store.create(ana(identities=(SocialIdentity("github", "1"),)))
                await settle(client.execute(text("INSERT INTO orders VALUES (1, :id)"), {"id": user.id}))
            async with begun(engine, client_is=client_is) as (client, store):
                assert await store.get_by_social("github", "1") == user
                assert (await settle(client.execute(text("SELECT user_id FROM orders")))).scalars().all() == ["ana"]


@pytest.mark.parametrize("client_is", ["connection", "session"])
async def test_a_rollback_undoes_users_keys_and_identities(driver: Driver, client_is: str) -> None:
    identity = SocialIdentity("github", "1")
    with driver.space() as url:
        async with application(driver, url) as engine:
            async with begun(engine, client_is=client_is, commit=False) as (_, store):
                await store.create(ana(identities=(identity,)))
                await store.update("ana", {"confirmed": True})
                await store.set_blackout(NOW)
                assert await store.get("ana")
            async with begun(engine, client_is=client_is) as (_, store):
                assert await store.get("ana") is None
                assert await store.get_blackout() is None
                assert (await store.create(ana(id="eve", identities=(identity,)))).version == 1
            async with begun(engine, client_is=client_is, commit=False) as (_, store):
                await store.update("eve", {"email_key": "eve@example.com", "identities": ()})
                assert await store.delete("eve")
            async with begun(engine, client_is=client_is) as (_, store):
                found = await store.get_by_social("github", "1")
                assert found is not None
                assert (found.id, found.email_key, found.version) == ("eve", "ana@example.com", 1)


async def test_a_taken_key_does_not_undo_earlier_statements(driver: Driver) -> None:
    identity = SocialIdentity("github", "1")
    with driver.space() as url:
        async with application(driver, url) as engine:
            async with begun(engine) as (_, store):
                await store.create(ana(identities=(identity,)))
            async with begun(engine) as (client, store):
                await settle(client.execute(text("INSERT INTO orders VALUES (1, 'ana')")))
                with pytest.raises(EmailTaken) as taken:
                    await store.create(ana(id="eve"))
                assert taken.value.fields == {"email", "username"}
                with pytest.raises(SocialTaken):
                    await store.create(User(id="eve", created_at=NOW, identities=(identity,)))
                assert await store.get("eve") is None
                bea = await store.create(User(id="bea", created_at=NOW, username_key="bea"))
                with pytest.raises(EmailTaken):
                    await store.update("bea", {"email_key": "ana@example.com", "identities": (identity,)})
                with pytest.raises(StaleUser):
                    await store.update("bea", {"active": False}, expected={"version": 7})
                assert await store.get("bea") == bea
            async with begun(engine) as (client, store):
                assert await store.get("bea") == bea
                assert (await settle(client.execute(text("SELECT COUNT(*) FROM orders")))).scalar_one() == 1


@pytest.mark.parametrize("driver", [driver for driver in SQL if driver.kind], ids=str)
async def test_a_key_taken_since_the_transaction_began_is_reported(driver: Driver) -> None:
    """At REPEATABLE READ the store does not see the other user; PostgreSQL then names only the first taken key."""
    with driver.space() as url:
        async with (
            application(driver, url) as other,
            driver.client(url, isolation_level="REPEATABLE READ") as engine,
            begun(engine) as (client, store),
        ):
            assert await store.get("ana") is None
            await SQLAlchemyUserStore(other).create(ana())
            with pytest.raises(IdentifierTaken) as taken:
                await store.create(ana(id="eve"))
            assert taken.value.fields
            assert taken.value.fields <= {"email", "username"}
            assert (await settle(client.execute(text("SELECT 1")))).scalar_one() == 1


async def test_an_engines_own_transactions_do_not_change(driver: Driver) -> None:
    """A store sets autocommit for its own statements only, though they share the pool."""
    with driver.space() as url:
        async with application(driver, url) as engine:
            await SQLAlchemyUserStore(engine).create(ana())
            async with begun(engine, commit=False) as (client, _):
                await settle(client.execute(text("INSERT INTO orders VALUES (1, 'ana')")))
            async with begun(engine) as (client, _):
                assert (await settle(client.execute(text("SELECT COUNT(*) FROM orders")))).scalar_one() == 0


async def test_a_connection_in_autocommit_is_refused(driver: Driver) -> None:
    with driver.space() as url:
        async with (
            application(driver, url),
            driver.client(url) as engine,
            begun(engine) as (_, store),
        ):
            with pytest.raises(InvalidValue, match="autocommit"):
                await store.get("ana")


async def test_create_schema_is_refused_inside_a_transaction(driver: Driver) -> None:
    with driver.space() as url:
        async with application(driver, url) as engine, begun(engine) as (_, store):
            with pytest.raises(InvalidValue, match="engine"):
                await store.create_schema()
