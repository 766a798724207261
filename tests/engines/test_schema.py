"""The schemas and settings that SQL adapters refuse: each fault is made for real, on each database."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from threading import Barrier, Thread
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata, produce_migrations
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Engine, ForeignKey, Integer, MetaData, Table, inspect

import servers
from authx_adapters.clock import ManualClock
from authx_adapters.sqlalchemy import CacheSchema, Schema, SQLAlchemyCache, SQLAlchemyUserStore
from authx_adapters.sqlalchemy.types import Exact
from authx_core import InvalidSchema, User, run
from engines.drivers import DRIVERS, Driver

OTHER = 'CREATE COLLATION other FROM "C.utf8"'
"""A collation that every PostgreSQL can make; those of ICU are missing from the wheel's."""

BLOCKING = {name: DRIVERS[name] for name in ("sqlite", "psycopg", "pymysql")}
FAULTS: dict[str, list[tuple[str, str, str]]] = {
    "psycopg": [
        ("DROP INDEX authx_users_email_key", "authx_users", "email_key"),
        (
            "DROP INDEX authx_users_email_key;CREATE UNIQUE INDEX partial ON authx_users (email_key) WHERE active",
            "authx_users",
            "email_key",
        ),
        (
            "DROP INDEX authx_users_email_key;CREATE UNIQUE INDEX several ON authx_users (email_key, username_key)",
            "authx_users",
            "email_key",
        ),
        (
            f"{OTHER};ALTER TABLE authx_users ALTER email_key TYPE varchar(254) COLLATE other",
            "authx_users.email_key",
            '"C"',
        ),
        (
            f"{OTHER};ALTER TABLE authx_users ALTER id TYPE varchar(255) COLLATE other",
            "authx_users.id",
            '"C"',
        ),
        ('ALTER TABLE authx_users ALTER email TYPE varchar(100) COLLATE "C"', "authx_users.email", "254"),
        (
            "ALTER TABLE authx_users ALTER created_at TYPE timestamp USING to_timestamp(created_at / 1000000)",
            "authx_users.created_at",
            "BIGINT",
        ),
        ("ALTER TABLE authx_users ALTER epoch TYPE integer", "authx_users.epoch", "BIGINT"),
        ("ALTER TABLE authx_users DROP last_login", "authx_users.last_login", "migrations"),
        ("ALTER TABLE authx_users ADD tenant text NOT NULL", "authx_users.tenant", "default"),
        ("DROP TABLE authx_identities", "authx_identities", "create_schema"),
        ("ALTER TABLE authx_identities DROP CONSTRAINT authx_identities_pkey", "authx_identities", "provider, subject"),
        (
            "ALTER TABLE authx_identities DROP CONSTRAINT authx_identities_user_id_fkey",
            "authx_identities.user_id",
            "ON DELETE CASCADE",
        ),
    ],
    "pymysql": [
        ("ALTER TABLE authx_users DROP INDEX authx_users_email_key", "authx_users", "email_key"),
        (
            "ALTER TABLE authx_users DROP INDEX authx_users_email_key, ADD UNIQUE shortened (email_key(10))",
            "authx_users",
            "email_key",
        ),
        (
            "ALTER TABLE authx_users MODIFY email_key varchar(254) COLLATE utf8mb4_general_ci",
            "authx_users.email_key",
            "utf8mb4_nopad_bin",
        ),
        (
            "ALTER TABLE authx_users MODIFY username_key varchar(255) COLLATE utf8mb4_bin",
            "authx_users.username_key",
            "utf8mb4_nopad_bin",
        ),
        ("ALTER TABLE authx_users MODIFY created_at datetime NOT NULL", "authx_users.created_at", "BIGINT"),
        ("ALTER TABLE authx_users MODIFY version int NOT NULL", "authx_users.version", "BIGINT"),
        ("ALTER TABLE authx_blackout ENGINE = MyISAM", "authx_blackout", "InnoDB"),
        (
            "ALTER TABLE authx_identities DROP FOREIGN KEY authx_identities_user_id_fkey",
            "authx_identities.user_id",
            "ON DELETE CASCADE",
        ),
        ("DROP TABLE authx_identities", "authx_identities", "create_schema"),
    ],
    "sqlite": [
        ("DROP INDEX authx_users_email_key", "authx_users", "email_key"),
        (
            "DROP INDEX authx_users_email_key;CREATE UNIQUE INDEX folded ON authx_users (email_key COLLATE NOCASE)",
            "authx_users.email_key",
            "BINARY",
        ),
        (
            (
                "DROP INDEX authx_users_username_key;"
                "CREATE UNIQUE INDEX partial ON authx_users (username_key) WHERE active"
            ),
            "authx_users",
            "username_key",
        ),
        ("DROP TABLE authx_blackout", "authx_blackout", "create_schema"),
        (
            "DROP TABLE authx_identities;CREATE TABLE authx_identities (provider, subject, user_id)",
            "authx_identities",
            "",
        ),
        ("ALTER TABLE authx_users ADD tenant text NOT NULL DEFAULT NULL", "authx_users.tenant", "default"),
    ],
}
MODES = {"": "STRICT_TRANS_TABLES", "STRICT_ALL_TABLES,EMPTY_STRING_IS_NULL": "EMPTY_STRING_IS_NULL"}


@contextmanager
def engine_on(driver: Driver, at: str | None = None, **options: Any) -> Generator[Engine, None, None]:
    """Lend an engine on a new database."""
    with driver.space(at) as url:
        engine: Engine = driver.open(url, **options)
        try:
            yield engine
        finally:
            engine.dispose()


@pytest.fixture(params=BLOCKING.values(), ids=str)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with engine_on(request.param) as engine:
        yield engine


def refused(call: Callable[[], Any]) -> dict[str, str]:
    """Check that a call is refused; return the message of each problem by its field."""
    with pytest.raises(InvalidSchema) as error:
        run(call())
    return {problem.field: problem.message for problem in error.value.problems}


def test_create_schema_satisfies_verify_schema_and_alembic(engine: Engine) -> None:
    store, cache = SQLAlchemyUserStore(engine), SQLAlchemyCache(engine, ManualClock())
    for adapter in (store, cache, store, cache):
        run(adapter.create_schema())
        run(adapter.verify_schema())
    metadata = MetaData()
    Schema(metadata)
    CacheSchema(metadata)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_schema_that_alembic_created_is_accepted(engine: Engine) -> None:
    metadata = MetaData()
    Schema(metadata, prefix="app_")
    CacheSchema(metadata, prefix="app_")
    migrate(engine, metadata)
    run(SQLAlchemyUserStore(engine, Schema(prefix="app_")).verify_schema())
    run(SQLAlchemyCache(engine, ManualClock(), CacheSchema(prefix="app_")).verify_schema())


def test_an_older_schema_is_refused_until_it_is_migrated(engine: Engine) -> None:
    """As if this version had added `last_login` and the index of usernames."""
    store = SQLAlchemyUserStore(engine)
    run(store.create_schema())
    ana = User(id="ana", created_at=ManualClock().now(), username_key="ana")
    run(store.create(ana))
    on_mariadb = engine.dialect.name == "mariadb"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP INDEX authx_users_username_key{' ON authx_users' if on_mariadb else ''}")
        connection.exec_driver_sql("ALTER TABLE authx_users DROP COLUMN last_login")
    assert set(refused(store.verify_schema)) == {"authx_users", "authx_users.last_login"}
    migrate(engine, store.schema.metadata)
    run(store.verify_schema())
    assert run(store.get("ana")) == ana


def test_all_missing_tables_are_reported_together(engine: Engine) -> None:
    assert set(refused(SQLAlchemyUserStore(engine).verify_schema)) == {
        "authx_users",
        "authx_identities",
        "authx_blackout",
    }
    assert set(refused(SQLAlchemyCache(engine, ManualClock()).verify_schema)) == {"authx_cache"}


@pytest.mark.parametrize(
    ("name", "damage", "place", "advice"),
    [pytest.param(name, *fault, id=f"{name}-{fault[0][:60]}") for name, faults in FAULTS.items() for fault in faults],
)
def test_a_fault_is_refused_with_advice(name: str, damage: str, place: str, advice: str) -> None:
    with engine_on(BLOCKING[name]) as engine:
        store = SQLAlchemyUserStore(engine)
        run(store.create_schema())
        with engine.connect() as connection:
            for statement in damage.split(";"):
                connection.exec_driver_sql(statement)
        problems = refused(store.verify_schema)
        assert advice in problems.pop(place)
        assert problems.keys() <= {"authx_identities.provider", "authx_identities.user_id", "authx_identities.subject"}


@pytest.mark.parametrize(("mode", "named"), MODES.items())
def test_a_mariadb_mode_that_changes_texts_is_refused(mode: str, named: str) -> None:
    with engine_on(BLOCKING["pymysql"], connect_args={"sql_mode": mode}) as engine:
        store = SQLAlchemyUserStore(engine)
        run(store.create_schema())
        assert named in refused(store.verify_schema)["sql_mode"]


def test_a_connection_that_cannot_send_every_text_is_refused() -> None:
    with engine_on(BLOCKING["pymysql"], connect_args={"charset": "latin1"}) as engine:
        store = SQLAlchemyUserStore(engine)
        run(store.create_schema())
        assert "utf8mb4" in refused(store.verify_schema)["character_set_client"]


def test_a_binlog_format_that_rejects_our_transactions_is_refused() -> None:
    by_statement = {"init_command": "SET binlog_format = 'STATEMENT'"}
    with (
        servers.private("mariadb") as server,
        engine_on(BLOCKING["pymysql"], server.url, connect_args=by_statement) as engine,
    ):
        store = SQLAlchemyUserStore(engine)
        run(store.create_schema())
        assert "MIXED or ROW" in refused(store.verify_schema)["binlog_format"]


def test_the_schema_may_be_created_concurrently(engine: Engine) -> None:
    barrier, errors = Barrier(8), list[Exception]()

    def create() -> None:
        barrier.wait()
        try:
            run(SQLAlchemyUserStore(engine).create_schema())
            run(SQLAlchemyCache(engine, ManualClock()).create_schema())
        except Exception as error:  # noqa: BLE001 - the test shows any error
            errors.append(error)

    threads = [Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    run(SQLAlchemyUserStore(engine).verify_schema())


def test_an_applications_table_may_refer_to_users(engine: Engine) -> None:
    """With our type for ids, since MariaDB demands the same type on both sides."""
    metadata = MetaData()
    Schema(metadata)
    Table(
        "orders",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("user_id", Exact(255), ForeignKey("authx_users.id")),
    )
    metadata.create_all(engine)
    assert "orders" in inspect(engine).get_table_names()


def migrate(engine: Engine, metadata: MetaData) -> None:
    """Apply the migration that Alembic would generate."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        operations = Operations(context)
        upgrade = produce_migrations(context, metadata).upgrade_ops
        assert upgrade is not None
        pending = list(upgrade.ops)
        while pending:
            operation = pending.pop(0)
            if hasattr(operation, "ops"):
                pending[:0] = operation.ops
            else:
                operations.invoke(operation)
