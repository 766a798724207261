"""Rows that another program wrote: our error names the row and its wrong fields, never their values."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from authx_adapters.clock import ManualClock
from authx_adapters.sqlalchemy import Schema, SQLAlchemyCache, SQLAlchemyUserStore
from authx_contract.samples.users import EVERYBODY, full_user
from authx_core.domain import InvalidSchema
from engines.drivers import DRIVERS, SQL, Driver

ANN: Final = full_user("ann")
MINUTE: Final = timedelta(minutes=1)
ANYWHERE: Final = {
    "permissions": ["'{}'", "'[1]'", "'\"secret\"'", "'secret'", "''", "'[secret'", f"'{'[' * 20_000}'"],
    "identities": ["'{}'", "'[1]'", "'[[\"secret\"]]'", "'[[1, \"secret\"]]'", "'\"secret\"'", "'null'"],
    "extra": ["'[]'", "'\"secret\"'", "'null'", "'1'"],
    "created_at": ["9223372036854775807", "-9223372036854775808"],
    "last_login": ["999999999999999999"],
    "epoch": ["0", "-1"],
    "version": ["0"],
}
"""Fields, and wrong values that every engine accepts, as SQL."""
UNTYPED: Final = {
    "identities": ["'secret'", "x'5b5d'"],
    "extra": ["'{\"secret\": NaN}'", f"'{'[' * 20_000}'"],
    "created_at": ["'secret'", "1.5", "'2026-01-01 00:00:00'"],
    "last_login": ["x'00'"],
    "active": ["'secret'", "2"],
    "confirmed": ["1.5"],
    "epoch": ["'secret'"],
    "version": ["x'00'"],
    "email": ["x'00'"],
    "password_hash": ["x'00'"],
}
"""More wrong values, which SQLite accepts because its columns have no type."""
DELETE: Final = "DELETE FROM authx_users WHERE id = 'foreign'"
INSERT: Final = """
INSERT INTO authx_users
(id, username_key, active, confirmed, permissions, identities, created_at, extra, epoch, version)
VALUES ('foreign', 'foreign', true, true, '[]', '[]', 1, '{}', 1, 1)
"""
NULLS: Final = ("active", "confirmed", "permissions", "identities", "created_at", "extra", "epoch", "version")


@pytest.mark.parametrize("driver", SQL, ids=str)
async def test_a_foreign_row_is_reported_with_its_wrong_field(driver: Driver) -> None:
    async with users(driver) as (store, engine):
        for wrong in (ANYWHERE, {} if driver.kind else UNTYPED):
            for field, values in wrong.items():
                for value in values:
                    await send(engine, DELETE, INSERT, f"UPDATE authx_users SET {field} = {value} WHERE id = 'foreign'")  # noqa: S608 - ours
                    await refused(store, field)


@pytest.mark.parametrize("driver", [DRIVERS[name] for name in ("sqlite", "psycopg", "asyncmy")], ids=str)
async def test_a_row_without_required_fields_is_reported(driver: Driver) -> None:
    """In a table that an application created without NOT NULL; all wrong fields are reported together."""
    schema = Schema()
    for field in NULLS:
        schema.users.c[field].nullable = True
    async with users(driver, schema) as (store, engine):
        await send(engine, DELETE, "INSERT INTO authx_users (id) VALUES ('foreign')")
        with pytest.raises(InvalidSchema) as invalid:
            await store.get("foreign")
        assert {problem.field for problem in invalid.value.problems} == {f"row 'foreign', {field}" for field in NULLS}


@pytest.mark.parametrize("driver", [DRIVERS[name] for name in ("sqlite", "aiosqlite")], ids=str)
async def test_text_that_is_not_utf_8_is_reported_with_its_column(driver: Driver) -> None:
    async with users(driver) as (store, engine):
        await send(
            engine, "UPDATE authx_users SET password_hash = CAST(x'73656372657480' AS TEXT) WHERE id = 'foreign'"
        )
        with pytest.raises(InvalidSchema, match="password_hash: is not UTF-8") as invalid:
            await store.get("foreign")
        assert "secret" not in f"{invalid.value!r} {invalid.value.__cause__!r}"


async def test_a_long_id_does_not_crowd_out_the_field() -> None:
    long = "long " * 20
    async with users(DRIVERS["sqlite"]) as (store, engine):
        await send(engine, f"UPDATE authx_users SET id = '{long}', permissions = '' WHERE id = 'foreign'")  # noqa: S608 - ours
        with pytest.raises(InvalidSchema, match=f"', permissions: is not JSON: the row '{long}' is not the store's"):
            await store.get(long)


@pytest.mark.parametrize("driver", SQL, ids=str)
async def test_a_foreign_cut_off_is_reported(driver: Driver) -> None:
    async with users(driver) as (store, engine):
        await send(engine, "INSERT INTO authx_blackout (id, cutoff) VALUES (1, 9223372036854775807)")
        with pytest.raises(InvalidSchema, match="row '1', cutoff: is not an instant"):
            await store.get_blackout()
        with pytest.raises(InvalidSchema, match="row '1', cutoff: is not an instant"):
            await store.set_blackout(ManualClock().now())
        assert await store.set_blackout(None) is None


@pytest.mark.parametrize("driver", [DRIVERS[name] for name in ("sqlite", "aiosqlite")], ids=str)
async def test_a_foreign_cache_entry_is_reported(driver: Driver) -> None:
    async with lent(driver) as engine:
        cache = SQLAlchemyCache(engine, ManualClock())
        await cache.create_schema()
        for field, value in (
            ("deadline", "'secret'"),
            ("stamp", "'secret'"),
            ("value", "x'00'"),
            ("value", "NULL"),
            ("deadline", "9223372036854775807"),
        ):
            await cache.set("key", "text", ttl=MINUTE)
            await send(engine, f"UPDATE authx_cache SET {field} = {value}")  # noqa: S608 - ours
            for call in (cache.get, cache.pop):
                with pytest.raises(InvalidSchema, match=r"row 'key', (number|value|stamp|deadline): ") as invalid:
                    await call("key")
                assert "secret" not in str(invalid.value)
        await cache.set("key", "text", ttl=MINUTE)
        assert await cache.pop("key") == "text"


@asynccontextmanager
async def lent(driver: Driver) -> AsyncIterator[Any]:
    with driver.space() as url:
        async with driver.client(url) as engine:
            yield engine


@asynccontextmanager
async def users(driver: Driver, schema: Schema | None = None) -> AsyncIterator[tuple[SQLAlchemyUserStore, Any]]:
    """Lend a store with Ann and a row that the test makes foreign."""
    async with lent(driver) as engine:
        store = SQLAlchemyUserStore(engine, schema)
        await store.create_schema()
        await store.create(ANN)
        await send(engine, INSERT)
        yield store, engine


async def refused(store: SQLAlchemyUserStore, field: str) -> None:
    """Check that each call that reads the row reports it, and that all others work."""
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: store.get("foreign"),
        lambda: store.get_by_username("foreign"),
        lambda: store.search(EVERYBODY, limit=10),
    ]
    if field != "version":  # an update writes it anew, and so repairs it
        calls.append(lambda: store.update("foreign", {"username": "new"}))
    for call in calls:
        with pytest.raises(InvalidSchema, match=rf"row 'foreign', {field}: is .* so remove or convert it") as invalid:
            await call()
        assert "secret" not in f"{invalid.value!r} {invalid.value}"
        assert [problem.code for problem in invalid.value.problems] == ["foreign_row"]
        assert invalid.value.__context__ is None
    assert await store.get(ANN.id) == ANN
    assert await store.count(EVERYBODY) == 2


async def send(engine: Any, *statements: str) -> None:
    """Execute statements without our adapters."""
    if isinstance(engine, AsyncEngine):
        async with engine.connect() as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)
    else:
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
