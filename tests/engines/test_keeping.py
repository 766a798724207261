"""`verify_schema` refuses a database that keeps nothing: it writes a row and reads it on a second connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, NullPool, StaticPool, create_engine, event, make_url, text

import servers
from authx_adapters.clock import ManualClock, SystemClock
from authx_adapters.sqlalchemy import SQLAlchemyCache, SQLAlchemyUserStore
from authx_core import InvalidSchema, run
from engines.drivers import DRIVERS, SQL, Driver
from engines.test_migrations import inside
from engines.test_references import opened

ADAPTERS: dict[str, Callable[[Any], Any]] = {
    "store": SQLAlchemyUserStore,
    "cache": lambda client: SQLAlchemyCache(client, ManualClock()),
}


def refused(adapter: Any, code: str) -> str:
    with pytest.raises(InvalidSchema) as error:
        run(adapter.verify_schema())
    (problem,) = error.value.problems
    assert problem.code == code
    return problem.message


@pytest.mark.parametrize("make", ADAPTERS.values(), ids=ADAPTERS)
@pytest.mark.parametrize("options", [{}, {"isolation_level": "AUTOCOMMIT"}], ids=["usual", "autocommit"])
def test_a_driver_that_does_not_commit_is_refused(
    make: Callable[[Any], Any], options: dict[str, Any], tmp_path: Path
) -> None:
    """Turso's dialect accepts the level AUTOCOMMIT and ignores it."""
    pytest.importorskip("turso")
    engine = create_engine(f"sqlite+turso:///{tmp_path}/users.db", **options)
    adapter = make(engine)
    run(adapter.create_schema())
    assert "does not see" in refused(adapter, "keeps_nothing")
    engine.dispose()


@pytest.mark.parametrize("make", ADAPTERS.values(), ids=ADAPTERS)
def test_a_memory_database_of_one_connection_is_refused(make: Callable[[Any], Any]) -> None:
    engine = create_engine("sqlite://")
    run(make(engine).create_schema())
    assert "memory" in refused(make(engine), "keeps_nothing")
    assert table_names(engine), "the application's own connection lost its tables"
    engine.dispose()


def table_names(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT name FROM sqlite_master")).scalars())


@pytest.mark.parametrize("pool", [{"pool_size": 1, "max_overflow": 0}, {"poolclass": NullPool}], ids=["one", "none"])
@pytest.mark.parametrize("driver", SQL, ids=str)
async def test_verify_schema_needs_no_larger_pool_and_leaves_no_rows(driver: Driver, pool: dict[str, Any]) -> None:
    with driver.space() as url:
        async with driver.client(url, **pool) as engine:
            for make in ADAPTERS.values():
                await make(engine).create_schema()
                await make(engine).verify_schema()
            counts = "SELECT (SELECT count(*) FROM authx_blackout) + (SELECT count(*) FROM authx_cache)"
            assert await inside(engine, lambda connection: connection.execute(text(counts)).scalar_one()) == 0


async def test_a_database_with_one_shared_connection_is_accepted() -> None:
    """An application's tests may use `StaticPool`: there is no second connection that could see other data."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    store = SQLAlchemyUserStore(engine)
    await store.create_schema()
    await store.verify_schema()
    engine.dispose()


async def test_verify_schema_may_run_concurrently_with_writes_and_purges() -> None:
    driver = DRIVERS["asyncpg"]
    with driver.space() as url:
        async with driver.client(url, pool_size=10) as engine:
            store, cache = SQLAlchemyUserStore(engine), SQLAlchemyCache(engine, SystemClock())
            await store.create_schema()
            await cache.create_schema()
            calls = (store.verify_schema, cache.verify_schema, cache.purge, lambda: store.set_blackout(None))
            await asyncio.gather(*(call() for call in calls * 5))


READ_ONLY: dict[str, Callable[[str], tuple[str, dict[str, Any]]]] = {
    "sqlite": lambda url: (f"sqlite:///file:{url.removeprefix('sqlite:///')}?mode=ro&uri=true", {}),
    "psycopg": lambda url: (url, {"options": "-c default_transaction_read_only=on"}),
    "pymysql": lambda url: (url, {"init_command": "SET SESSION TRANSACTION READ ONLY"}),
}


@pytest.mark.parametrize("name", READ_ONLY)
@pytest.mark.parametrize("make", ADAPTERS.values(), ids=ADAPTERS)
def test_a_read_only_replica_is_reported_as_such(name: str, make: Callable[[Any], Any]) -> None:
    driver = DRIVERS[name]
    with driver.space() as url:
        engine = driver.open(url)
        run(make(engine).create_schema())
        engine.dispose()
        place, arguments = READ_ONLY[name](url)
        engine = driver.open(place, connect_args=arguments)
        assert "connect to the primary" in refused(make(engine), "read_only")
        engine.dispose()


async def test_the_error_for_a_read_only_role_says_what_to_grant() -> None:
    driver, role = DRIVERS["psycopg"], "authx_reader"
    with servers.database("postgres") as url:
        async with driver.client(url) as engine:
            await SQLAlchemyUserStore(engine).create_schema()
            with engine.connect() as connection:
                connection.exec_driver_sql(f"DROP ROLE IF EXISTS {role}")
                connection.exec_driver_sql(f"CREATE ROLE {role}")
                connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
            as_role = driver.open(make_url(url), connect_args={"options": f"-c role={role}"})
            assert "GRANT" in refused(SQLAlchemyUserStore(as_role), "not_allowed")
            as_role.dispose()
            with engine.connect() as connection:
                connection.exec_driver_sql(f"DROP OWNED BY {role}")
                connection.exec_driver_sql(f"DROP ROLE {role}")


async def test_verify_schema_writes_nothing_in_the_callers_transaction() -> None:
    driver = DRIVERS["psycopg"]
    with driver.space() as url:
        async with driver.client(url) as engine:
            await SQLAlchemyUserStore(engine).create_schema()
        async with driver.client(url, isolation_level="READ COMMITTED") as engine:
            sent = list[str]()
            event.listen(engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
            async with opened(engine) as connection:
                await SQLAlchemyUserStore(connection).verify_schema()
            assert sent
            assert not [each for each in sent if each.startswith(("INSERT", "DELETE"))]
