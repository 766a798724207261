"""Our tables in an application's own `MetaData`: naming conventions, migrations and schemas."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime, timedelta, timezone
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, Engine, ForeignKey, MetaData, Table, event, inspect
from sqlalchemy.ext.asyncio import AsyncEngine

import servers
from authx_adapters.clock import ManualClock
from authx_adapters.sqlalchemy import CacheSchema, Schema, SQLAlchemyCache, SQLAlchemyUserStore
from authx_adapters.sqlalchemy.types import Exact
from authx_core import EmailTaken, InvalidSchema, SocialIdentity, SocialTaken, User, UserReferenced, run
from engines.drivers import DRIVERS, SQL, Driver
from engines.test_schema import BLOCKING, engine_on

ANA = User(
    id="ana",
    email_key="ana@example.org",
    identities=(SocialIdentity("github", "1"),),
    created_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
)
CONVENTIONS: dict[str, Mapping[Any, Any]] = {
    "recommended": {  # in SQLAlchemy's manual, "Constraint Naming Conventions"
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    },
    "names for all": {kind: f"{kind}_%(constraint_name)s" for kind in ("ix", "uq", "ck", "fk")},
    "one name": {kind: f"{kind}_same" for kind in ("ix", "uq", "fk")},
    "none": {},
}


@pytest.fixture(params=BLOCKING.values(), ids=str)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with engine_on(request.param) as engine:
        yield engine


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=CONVENTIONS)
def test_an_application_may_choose_any_naming_convention(engine: Engine, convention: Mapping[Any, Any]) -> None:
    metadata = MetaData(naming_convention=convention)
    schema, cache_schema = Schema(metadata), CacheSchema(metadata)
    for users, cache in ((schema, cache_schema), (Schema(), CacheSchema())):
        adapters = (SQLAlchemyUserStore(engine, users), SQLAlchemyCache(engine, ManualClock(), cache))
        for adapter in adapters:
            run(adapter.create_schema())
            run(adapter.verify_schema())
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    run(SQLAlchemyUserStore(engine, schema).create(ANA))
    with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
        store = SQLAlchemyUserStore(connection, schema)
        for field, error in (("email_key", EmailTaken), ("identities", SocialTaken)):
            with pytest.raises(error):
                run(store.create(User(id="eve", created_at=ANA.created_at, **{field: getattr(ANA, field)})))


MODELS = """
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table
from authx_adapters.sqlalchemy import CacheSchema, Schema
from authx_adapters.sqlalchemy.types import Exact
metadata = MetaData(naming_convention={convention!r})
Schema(metadata)
CacheSchema(metadata)
Table("orders", metadata, Column("id", Integer, primary_key=True),
      Column("user_id", Exact(255), ForeignKey("authx_users.id", ondelete="CASCADE")))
target_metadata = metadata
"""


@pytest.mark.parametrize("name", ["recommended", "none"])
def test_alembic_upgrades_finds_nothing_to_do_and_downgrades(engine: Engine, name: str, tmp_path: Path) -> None:
    """Set up as `docs/migrations.md` says."""
    config = _environment(tmp_path, engine, CONVENTIONS[name])
    command.revision(config, "authx-users", autogenerate=True)
    for _ in range(2):
        command.upgrade(config, "head")
        command.check(config)
        run(SQLAlchemyUserStore(engine).verify_schema())
        run(SQLAlchemyCache(engine, ManualClock()).verify_schema())
        command.downgrade(config, "base")
        assert inspect(engine).get_table_names() == ["alembic_version"]


def _environment(folder: Path, engine: Engine, convention: Mapping[Any, Any]) -> Config:
    """Run `alembic init`, and make the changes that our manual asks for."""
    scripts = folder / "migrations"
    config = Config(stdout=StringIO())
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(scripts))
    config.set_main_option("sqlalchemy.url", engine.url.render_as_string(hide_password=False))
    config.config_file_name = str(folder / "alembic.ini")
    command.init(config, str(scripts))
    config.config_file_name = None  # it would set up logging for all tests
    env, template = scripts / "env.py", scripts / "script.py.mako"
    models = MODELS.format(convention=dict(convention))
    env.write_text(env.read_text().replace("target_metadata = None", models))
    template.write_text(
        template.read_text().replace(
            "import sqlalchemy as sa", "import sqlalchemy as sa\nimport authx_adapters.sqlalchemy.types"
        )
    )
    return config


@asynccontextmanager
async def in_schema(driver: Driver, **execution_options: Any) -> AsyncGenerator[tuple[Any, str], None]:
    """Lend an engine and the name of a second schema; on SQLite, an attached file."""
    with ExitStack() as stack:
        url, place = stack.enter_context(driver.space()), "tenant"
        if driver.kind == "mariadb":
            place = stack.enter_context(servers.database("mariadb")).rpartition("/")[2]
        async with driver.client(url) as engine:
            sync: Engine = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
            if driver.kind is None:
                attach = f"ATTACH DATABASE '{url.removeprefix('sqlite:///')}.tenant' AS tenant"
                event.listen(sync, "connect", lambda connection, _: connection.execute(attach))
            elif driver.kind == "postgres":
                await inside(engine, lambda connection: connection.exec_driver_sql("CREATE SCHEMA tenant"))
            options = {name: {None: place} for name in execution_options}
            yield engine.execution_options(**options), place


async def inside(engine: Any, work: Any) -> Any:
    if not isinstance(engine, AsyncEngine):
        with engine.connect() as connection:
            return work(connection)
    async with engine.connect() as connection:
        return await connection.run_sync(work)


def tables(place: str | None) -> Any:
    def work(connection: Connection) -> list[str]:
        return inspect(connection).get_table_names(schema=place)

    return work


@pytest.mark.parametrize("by", ["schema_translate_map", "MetaData"])
@pytest.mark.parametrize("driver", SQL, ids=str)
async def test_tables_may_be_in_a_schema_of_their_own(driver: Driver, by: str) -> None:
    translate = {"schema_translate_map": True} if by == "schema_translate_map" else {}
    async with in_schema(driver, **translate) as (engine, place):
        metadata = MetaData() if translate else MetaData(schema=place)
        store = SQLAlchemyUserStore(engine, Schema(metadata))
        cache = SQLAlchemyCache(engine, ManualClock(), CacheSchema(metadata))
        for adapter in (store, cache):
            with pytest.raises(InvalidSchema):
                await adapter.verify_schema()
            for _ in range(2):
                await adapter.create_schema()
                await adapter.verify_schema()
        assert await inside(engine, tables(None)) == []
        there = sorted(table.name for schema in (store.schema, cache.schema) for table in schema.tables)
        assert sorted(await inside(engine, tables(place))) == there
        assert await store.create(ANA) == ANA
        with pytest.raises(EmailTaken):
            await store.create(User(id="eve", email_key=ANA.email_key, created_at=ANA.created_at))
        assert await cache.increment("key", ttl=timedelta(minutes=1)) == 1
        assert await store.delete("ana")


OTHER = 'CREATE COLLATION {place}.other FROM "C.utf8"'
"""A collation that every PostgreSQL can make; those of ICU are missing from the wheel's."""
DAMAGE = {
    "sqlite": [
        ("DROP INDEX {place}.authx_users_email_key", "authx_users"),
        ("CREATE INDEX {place}.folded ON authx_users (username COLLATE NOCASE)", "authx_users.username"),
    ],
    "psycopg": [
        ("DROP INDEX {place}.authx_users_email_key", "authx_users"),
        (
            OTHER + ";ALTER TABLE {place}.authx_users ALTER username TYPE text COLLATE {place}.other",
            "authx_users.username",
        ),
        (
            "ALTER TABLE {place}.authx_identities DROP CONSTRAINT authx_identities_user_id_fkey",
            "authx_identities.user_id",
        ),
        ("DROP TABLE {place}.authx_blackout", "authx_blackout"),
    ],
    "pymysql": [
        ("DROP INDEX authx_users_email_key ON {place}.authx_users", "authx_users"),
        ("ALTER TABLE {place}.authx_users MODIFY username varchar(255) COLLATE utf8mb4_bin", "authx_users.username"),
        ("ALTER TABLE {place}.authx_blackout ENGINE = MyISAM", "authx_blackout"),
        (
            "ALTER TABLE {place}.authx_identities DROP FOREIGN KEY authx_identities_user_id_fkey",
            "authx_identities.user_id",
        ),
    ],
}


@pytest.mark.parametrize("name", DAMAGE)
async def test_a_fault_is_found_in_the_configured_schema_only(name: str) -> None:
    """The default schema has correct tables, the other one damaged tables."""
    async with in_schema(DRIVERS[name], schema_translate_map=True) as (engine, place):
        store = SQLAlchemyUserStore(engine)
        usual = SQLAlchemyUserStore(engine.execution_options(schema_translate_map={}))
        for each in (store, usual):
            await each.create_schema()
        for damage, where in DAMAGE[name]:
            for statement in damage.format(place=place).split(";"):
                await inside(engine, lambda connection, statement=statement: connection.exec_driver_sql(statement))
            with pytest.raises(InvalidSchema) as error:
                await store.verify_schema()
            assert where in {problem.field for problem in error.value.problems}
            await usual.verify_schema()


async def test_a_row_that_refers_to_a_user_in_an_attached_file_is_found() -> None:
    async with in_schema(DRIVERS["sqlite"], schema_translate_map=True) as (engine, _):
        schema = Schema()
        Table("orders", schema.metadata, Column("owner", Exact(255), ForeignKey("authx_users.id"), primary_key=True))
        await SQLAlchemyUserStore(engine, schema).create_schema()
        await inside(engine, schema.metadata.create_all)
        await SQLAlchemyUserStore(engine, schema).create(ANA)
        with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
            connection.execute(schema.metadata.tables["orders"].insert(), {"owner": "ana"})
            with pytest.raises(UserReferenced):
                await SQLAlchemyUserStore(connection, schema).delete("ana")
