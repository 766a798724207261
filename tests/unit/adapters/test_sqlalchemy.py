"""The parts of the SQLAlchemy store that the contract cannot test: the schema, and refused databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Engine, Integer, MetaData, Table, create_engine, inspect

from authx_adapters.common.prefix import after_prefix
from authx_adapters.sqlalchemy import Schema, SQLAlchemyUserStore
from authx_core import InvalidValue, StoreUnavailable, User, run

NOW = datetime(2026, 1, 1, 12, 30, 45, 123456, tzinfo=timezone.utc)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path}/users.db", connect_args={"timeout": 30})
    yield engine
    engine.dispose()


def user() -> User:
    return User(id="1", email_key="a@example.com", username_key="ana", created_at=NOW)


def test_the_tables_merge_into_an_applications_metadata_and_alembic_finds_nothing_to_migrate(engine: Engine) -> None:
    metadata = MetaData()
    Table("orders", metadata, Column("id", Integer, primary_key=True))
    schema = Schema(metadata, prefix="app_")
    metadata.create_all(engine)
    assert set(inspect(engine).get_table_names()) == {"orders", "app_users", "app_identities", "app_blackout"}
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert run(SQLAlchemyUserStore(engine, schema).create(user())).version == 1


def test_a_missing_table_is_an_unavailable_store_that_says_what_to_do(engine: Engine) -> None:
    with pytest.raises(StoreUnavailable, match="create_schema"):
        run(SQLAlchemyUserStore(engine).get("1"))


def test_an_unreachable_database_is_an_unavailable_store(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/nowhere/users.db")
    with pytest.raises(StoreUnavailable):
        run(SQLAlchemyUserStore(engine).get("1"))


@pytest.mark.filterwarnings("ignore:version is deprecated:DeprecationWarning")  # sqlite3 warns from Python 3.13 on
def test_an_unsupported_database_is_refused() -> None:
    with pytest.raises(InvalidValue, match="SQLite"):
        SQLAlchemyUserStore(create_engine("mssql+pyodbc://", module=sqlite3))


@pytest.mark.parametrize(
    ("prefix", "following"),
    [
        ("an", "ao"),
        ("a\U0010ffff", "b"),
        ("\U0010ffff", None),
        ("", None),
        ("\ud7ff", "\ue000"),
    ],
)
def test_the_bound_after_a_prefix_is_the_next_code_point(prefix: str, following: str | None) -> None:
    assert after_prefix(prefix) == following
