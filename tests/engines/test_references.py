"""An application's tables refer to users: no row is orphaned, on any engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, Integer, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from authx_adapters.common.settle import settle
from authx_adapters.sqlalchemy import Schema, SQLAlchemyUserStore
from authx_adapters.sqlalchemy.types import Exact
from authx_core import AuthxError, SocialIdentity, User, UserReferenced
from engines.drivers import SQL, Driver

ANA = User(
    id="ana",
    username_key="ana",
    identities=(SocialIdentity("github", "1"),),
    created_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
)
LEVELS = {None: "SERIALIZABLE", "postgres": "READ COMMITTED", "mariadb": "READ COMMITTED"}
"""The isolation level of an application's own engine, which is not in autocommit."""


@asynccontextmanager
async def shop(
    driver: Driver, ondelete: str | None = None, *, to: str = "authx_users.id", **options: Any
) -> AsyncGenerator[tuple[Any, Table, Schema], None]:
    """Lend an application's engine, with an order of Ana's."""
    schema = Schema()
    orders = Table(
        "orders",
        schema.metadata,
        Column("id", Integer, primary_key=True),
        Column("owner", Exact(255), ForeignKey(to, ondelete=ondelete)),
    )
    with driver.space() as url:
        async with driver.client(url, **options) as engine:
            async with opened(engine) as connection:
                if isinstance(engine, AsyncEngine):
                    await connection.run_sync(schema.metadata.create_all)
                else:
                    schema.metadata.create_all(connection)
                await settle(connection.commit())
            await SQLAlchemyUserStore(engine, schema).create(ANA)
            async with opened(engine) as connection:
                await settle(connection.execute(insert(orders), {"id": 1, "owner": "ana"}))
                await settle(connection.commit())
            yield engine, orders, schema


@asynccontextmanager
async def opened(engine: Any) -> AsyncGenerator[Any, None]:
    connection = await settle(engine.connect())
    try:
        yield connection
    finally:
        await settle(connection.close())


async def owners(engine: Any, orders: Table) -> list[str | None]:
    async with opened(engine) as connection:
        return list((await settle(connection.execute(select(orders.c.owner).order_by(orders.c.id)))).scalars().all())


@pytest.fixture(params=SQL, ids=str)
def driver(request: pytest.FixtureRequest) -> Driver:
    found: Driver = request.param
    return found


@pytest.mark.parametrize("ondelete", [None, "RESTRICT"])
async def test_a_user_with_orders_stays_until_the_orders_are_gone(driver: Driver, ondelete: str | None) -> None:
    async with shop(driver, ondelete) as (engine, orders, schema):
        store = SQLAlchemyUserStore(engine, schema)
        with pytest.raises(UserReferenced) as error:
            await store.delete("ana")
        assert (error.value.user_id, error.value.code) == ("ana", "user_referenced")
        assert isinstance(error.value, AuthxError)
        assert await store.get_by_social("github", "1") == ANA
        async with opened(engine) as connection:
            await settle(connection.execute(orders.delete()))
        assert await store.delete("ana") is True
        assert await store.delete("ana") is False


@pytest.mark.parametrize(("ondelete", "left"), [("CASCADE", []), ("SET NULL", [None])])
async def test_a_foreign_keys_on_delete_action_is_followed(driver: Driver, ondelete: str, left: list[None]) -> None:
    async with shop(driver, ondelete) as (engine, orders, schema):
        assert await SQLAlchemyUserStore(engine, schema).delete("ana") is True
        assert await owners(engine, orders) == left


@pytest.mark.parametrize("ondelete", [None, "CASCADE"])
async def test_a_refused_deletion_keeps_earlier_statements_of_the_callers_transaction(
    driver: Driver, ondelete: str | None
) -> None:
    """SQLite also refuses a cascade here, for its foreign keys are off and cannot be switched on in a transaction."""
    async with shop(driver, ondelete, isolation_level=LEVELS[driver.kind]) as (engine, orders, schema):
        async with opened(engine) as connection:
            await settle(connection.execute(insert(orders), {"id": 2, "owner": None}))
            store = SQLAlchemyUserStore(connection, schema)
            if ondelete is None or driver.kind is None:
                with pytest.raises(UserReferenced):
                    await store.delete("ana")
                assert await store.get_by_social("github", "1") == ANA
            else:
                assert await store.delete("ana") is True
            await settle(connection.commit())
        left = await owners(engine, orders)
        assert left == (["ana", None] if ondelete is None or driver.kind is None else [None])


@pytest.mark.parametrize("to", ["authx_users.username_key", "authx_identities.subject"])
async def test_a_foreign_key_may_refer_to_any_key(to: str) -> None:
    """On SQLite, where the store finds references by the schema in the caller's transaction."""
    driver = next(each for each in SQL if each.name == "sqlite")
    async with shop(driver, isolation_level="SERIALIZABLE") as (engine, _, __), opened(engine) as connection:
        await settle(connection.exec_driver_sql("DROP TABLE orders"))
        await settle(
            connection.exec_driver_sql(
                f'CREATE TABLE "my ""orders" (id, "its owner" REFERENCES {to.replace(".", "(")}) ON DELETE CASCADE)'
            )
        )
        key = {"authx_users.username_key": "ana"}.get(to, "1")
        await settle(connection.exec_driver_sql('INSERT INTO "my ""orders" VALUES (1, ?)', (key,)))
        with pytest.raises(UserReferenced):
            await SQLAlchemyUserStore(connection).delete("ana")
        await settle(connection.exec_driver_sql('UPDATE "my ""orders" SET "its owner" = NULL'))
        assert await SQLAlchemyUserStore(connection).delete("ana") is True


async def test_a_referenced_key_cannot_be_changed(driver: Driver) -> None:
    if driver.kind is None:
        pytest.skip("SQLite enforces foreign keys only if the application switches them on")
    async with shop(driver, to="authx_users.username_key") as (engine, _, schema):
        with pytest.raises(UserReferenced):
            await SQLAlchemyUserStore(engine, schema).update("ana", {"username_key": "bea"})
        assert await SQLAlchemyUserStore(engine, schema).get("ana") == ANA


@pytest.mark.parametrize("enforced", [0, 1])
async def test_a_deletion_leaves_sqlites_foreign_keys_as_the_application_set_them(enforced: int) -> None:
    driver = next(each for each in SQL if each.name == "sqlite")
    async with shop(driver, pool_size=1, max_overflow=0) as (engine, orders, schema):
        async with opened(engine) as connection:
            await settle(connection.exec_driver_sql(f"PRAGMA foreign_keys = {enforced}"))
        store = SQLAlchemyUserStore(engine, schema)
        with pytest.raises(UserReferenced):
            await store.delete("ana")
        async with opened(engine) as connection:
            assert (await settle(connection.exec_driver_sql("PRAGMA foreign_keys"))).scalar_one() == enforced
        assert await owners(engine, orders) == ["ana"]
