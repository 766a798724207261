"""What the contract cannot see of the SQLAlchemy store: statements, schema, and what it refuses."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Engine, Integer, MetaData, Table, create_engine, event, inspect

from authx_adapters._prefix import after_prefix
from authx_adapters.sqlalchemy import Schema, SQLAlchemyUserStore
from authx_core import InvalidValue, SocialIdentity, StoreUnavailable, User, UserQuery, run

NOW = datetime(2026, 1, 1, 12, 30, 45, 123456, tzinfo=timezone.utc)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path}/users.db", connect_args={"timeout": 30})
    yield engine
    engine.dispose()


@pytest.fixture
def sent(engine: Engine) -> list[str]:
    """What reaches SQLite, BEGIN and COMMIT included, but for the PRAGMA by which SQLAlchemy leaves autocommit."""
    statements: list[str] = []

    @event.listens_for(engine, "connect")
    def _(connection: sqlite3.Connection, _: object) -> None:
        connection.set_trace_callback(lambda text: None if text.startswith("PRAGMA") else statements.append(text))

    return statements


def user(identities: tuple[SocialIdentity, ...] = ()) -> User:
    return User(id="1", email_key="a@example.com", username_key="ana", created_at=NOW, identities=identities)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get", ("1",)),
        ("get_by_email", ("a@example.com",)),
        ("get_by_username", ("ana",)),
        ("get_by_social", ("google", "1")),
        ("count", (UserQuery(active=True),)),
        ("get_blackout", ()),
        ("set_blackout", (NOW,)),
        ("update", ("1", {"confirmed": True})),
    ],
)
def test_an_operation_is_one_statement_outside_a_transaction(
    engine: Engine, sent: list[str], name: str, arguments: tuple[object, ...]
) -> None:
    store = SQLAlchemyUserStore(engine)
    run(store.create_schema())
    run(store.create(user((SocialIdentity("google", "1"),))))
    sent.clear()
    run(getattr(store, name)(*arguments))
    assert len(sent) == 1, sent


def test_creating_a_user_is_one_statement_and_with_identities_one_transaction(engine: Engine, sent: list[str]) -> None:
    store = SQLAlchemyUserStore(engine)
    run(store.create_schema())
    sent.clear()
    run(store.create(user()))
    assert len(sent) == 1, sent
    run(store.delete("1"))
    sent.clear()
    run(store.create(user((SocialIdentity("google", "1"), SocialIdentity("apple", "2")))))
    assert [statement.split()[0] for statement in sent] == ["BEGIN", "INSERT", "INSERT", "INSERT", "COMMIT"]


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


def test_a_database_that_is_not_proved_is_refused() -> None:
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
def test_what_follows_a_prefix_is_the_next_code_point(prefix: str, following: str | None) -> None:
    assert after_prefix(prefix) == following
