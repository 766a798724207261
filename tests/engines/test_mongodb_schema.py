"""Indexes can be created concurrently; a database that would break a promise is refused, with advice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pymongo import IndexModel, MongoClient, WriteConcern
from pymongo.client_session import TransactionOptions  # type: ignore[attr-defined] # PyMongo exports it
from pymongo.collation import Collation
from pymongo.database import Database

import servers
from authx_adapters.clock import ManualClock
from authx_adapters.mongodb import MongoCache, MongoUserStore, verify
from authx_contract.samples.users import make_user
from authx_core.blocking import run
from authx_core.domain import InvalidSchema, Problem

PRESENT = {"email_key": {"$gte": ""}}
INDEXES = ("email_key_1", "username_key_1", "identities.provider_1_identities.subject_1", "permissions_1__id_1")


@pytest.fixture
def database() -> Iterator[Database[dict[str, Any]]]:
    with servers.database("mongodb") as url, MongoClient[dict[str, Any]](url) as client:
        yield client.get_default_database()


@pytest.fixture
def replicated() -> Iterator[Database[dict[str, Any]]]:
    with servers.database("mongodb-replica-set") as url, MongoClient[dict[str, Any]](url) as client:
        yield client.get_default_database()


def problems(store: MongoUserStore | MongoCache) -> dict[str, str]:
    """Verify an adapter's schema; return the code of each problem by its field."""
    with pytest.raises(InvalidSchema) as refused:
        run(store.verify_schema())
    return {problem.field: problem.code for problem in refused.value.problems}


@pytest.mark.parametrize("where", ["database", "replicated"])
def test_eight_threads_can_create_the_indexes_at_once(where: str, request: pytest.FixtureRequest) -> None:
    database = request.getfixturevalue(where)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: run(MongoUserStore(database).ensure_indexes()), range(8)))
    store, cache = MongoUserStore(database), MongoCache(database, ManualClock())
    run(store.ensure_indexes())
    run(cache.ensure_indexes())
    run(store.verify_schema())
    run(cache.verify_schema())
    assert set(database["authx_users"].index_information()) == {"_id_", *INDEXES}
    assert set(database["authx_cache"].index_information()) == {"_id_", "deadline_1"}


def test_all_missing_indexes_are_reported_together(database: Database[dict[str, Any]]) -> None:
    assert problems(MongoUserStore(database)) == {
        "authx_users.email_key": "missing",
        "authx_users.username_key": "missing",
        "authx_users.identities.provider,identities.subject": "missing",
        "authx_users.permissions,_id": "missing",
    }
    assert problems(MongoCache(database, ManualClock(), prefix="my_")) == {"my_cache.deadline": "missing"}


def test_a_problem_says_what_to_do(database: Database[dict[str, Any]]) -> None:
    run(MongoUserStore(database).ensure_indexes())
    database["authx_users"].drop_index("email_key_1")
    with pytest.raises(InvalidSchema) as refused:
        run(MongoUserStore(database).verify_schema())
    recipe = 'createIndex({"email_key": 1}, {"unique": true, "partialFilterExpression": {"email_key": {"$gte": ""}}})'
    sentence = f"has no index: call ensure_indexes() or {recipe}"
    assert refused.value.problems == (Problem("authx_users.email_key", "missing", sentence),)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"partialFilterExpression": PRESENT}, "is not unique"),
        ({"unique": True}, "is not partial in the same way"),
        ({"unique": True, "sparse": True}, "is not partial in the same way"),
        ({"unique": True, "partialFilterExpression": {"active": True}}, "is not partial in the same way"),
        ({"unique": True, "partialFilterExpression": PRESENT, "collation": Collation("en")}, "has a collation"),
    ],
)
def test_an_index_with_wrong_options_is_refused(
    database: Database[dict[str, Any]], options: dict[str, Any], fault: str
) -> None:
    store = MongoUserStore(database)
    run(store.ensure_indexes())
    database["authx_users"].drop_index("email_key_1")
    database["authx_users"].create_indexes([IndexModel("email_key", **options)])
    with pytest.raises(InvalidSchema, match=fault) as refused:
        run(store.verify_schema())
    assert [problem.code for problem in refused.value.problems] == ["wrong_index"]
    with pytest.raises(InvalidSchema, match=fault) as refused:
        run(store.ensure_indexes())
    assert [problem.field for problem in refused.value.problems] == ["authx_users.email_key"]


def test_a_correct_index_with_another_name_is_accepted(database: Database[dict[str, Any]]) -> None:
    store = MongoUserStore(database)
    database["authx_users"].create_index("email_key", name="mine", unique=True, partialFilterExpression=PRESENT)
    with pytest.raises(InvalidSchema) as refused:
        run(store.verify_schema())
    assert "authx_users.email_key" not in {problem.field for problem in refused.value.problems}
    run(store.ensure_indexes())
    run(store.verify_schema())
    assert "email_key_1" not in database["authx_users"].index_information()


def test_users_who_share_a_key_prevent_the_index(database: Database[dict[str, Any]]) -> None:
    store = MongoUserStore(database)
    for _ in range(2):
        run(store.create(make_user(email_key="secret@example.com")))
    with pytest.raises(InvalidSchema, match="share a key") as refused:
        run(store.ensure_indexes())
    assert "secret@" not in str(refused.value)


def test_collections_with_a_collation_or_a_cap_are_refused(database: Database[dict[str, Any]]) -> None:
    database.create_collection("authx_users", collation=Collation("en", strength=2))
    database.create_collection("authx_settings", capped=True, size=4096)
    store = MongoUserStore(database)
    run(store.ensure_indexes())
    assert problems(store) == {
        "authx_users": "collation",
        "authx_settings": "capped",
        "authx_users.email_key": "wrong_index",
        "authx_users.username_key": "wrong_index",
        "authx_users.identities.provider,identities.subject": "wrong_index",
        "authx_users.permissions,_id": "wrong_index",
    }


def test_a_write_concern_below_a_majority_is_refused(replicated: Database[dict[str, Any]]) -> None:
    run(MongoUserStore(replicated).ensure_indexes())
    majority = replicated.client.get_database(replicated.name, write_concern=WriteConcern("majority"))
    run(MongoUserStore(majority).verify_schema())
    for w in (0, 1):
        weak = replicated.client.get_database(replicated.name, write_concern=WriteConcern(w))
        assert problems(MongoUserStore(weak)) == {"database.writeConcern": "below_majority"}
    one = TransactionOptions(write_concern=WriteConcern(1))
    with replicated.client.start_session(default_transaction_options=one) as session:
        assert problems(MongoUserStore(replicated, session=session)) == {"session.writeConcern": "below_majority"}
    two = replicated.client.get_database(replicated.name, write_concern=WriteConcern(2))
    run(MongoUserStore(two).verify_schema())


def test_a_clients_own_write_concern_below_a_majority_is_refused() -> None:
    with (
        servers.database("mongodb-replica-set") as url,
        MongoClient[dict[str, Any]](url, w=1) as client,
    ):
        store = MongoUserStore(client.get_default_database())
        run(store.ensure_indexes())
        assert problems(store) == {"client.writeConcern": "below_majority"}


def test_one_is_the_majority_of_a_standalone_server(database: Database[dict[str, Any]]) -> None:
    run(MongoUserStore(database).ensure_indexes())
    for w, refused in ((1, False), (0, True)):
        store = MongoUserStore(database.client.get_database(database.name, write_concern=WriteConcern(w)))
        if refused:
            assert problems(store) == {"database.writeConcern": "below_majority"}
        else:
            run(store.verify_schema())


def test_a_cluster_default_below_a_majority_is_refused_unless_the_client_asks_for_more(
    replicated: Database[dict[str, Any]],
) -> None:
    store = MongoUserStore(replicated)
    run(store.ensure_indexes())
    admin = replicated.client.admin
    admin.command("setDefaultRWConcern", defaultWriteConcern={"w": 1}, writeConcern={"w": "majority"})
    try:
        assert problems(store) == {"cluster.writeConcern": "below_majority"}
        majority = replicated.client.get_database(replicated.name, write_concern=WriteConcern("majority"))
        run(MongoUserStore(majority).verify_schema())
    finally:
        admin.command("setDefaultRWConcern", defaultWriteConcern={"w": "majority"}, writeConcern={"w": "majority"})
    run(store.verify_schema())


def test_a_server_that_is_too_old_is_refused(
    database: Database[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MongoUserStore(database)
    run(store.ensure_indexes())
    monkeypatch.setattr(verify, "_OLDEST", (99, 0))
    assert problems(store) == {"server": "too_old"}
