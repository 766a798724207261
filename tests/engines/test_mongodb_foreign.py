"""Documents that another program put among the users: ignored, or reported with id and field in our error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, Final

import pytest
from bson import ObjectId
from pymongo import AsyncMongoClient, MongoClient
from pymongo.database import Database

import servers
from authx_adapters.mongodb import MongoUserStore
from authx_contract.samples.users import EVERYBODY, full_user
from authx_core import run
from authx_core.domain import InvalidSchema, UserQuery

NOW: Final = datetime.now(timezone.utc)
FOREIGN: Final[dict[str, dict[str, Any]]] = {
    "created_at": {"username_key": "foreign"},
    "active": {"created_at": 1, "active": 1},
    "last_login": {"created_at": 1, "last_login": NOW},
    "email": {"created_at": 1, "email": ["a", "b"]},
    "permissions": {"created_at": 1, "permissions": "read"},
    "identities": {"created_at": 1, "identities": [{"provider": "github"}]},
    "extra": {"created_at": 1, "extra": None},
    "version": {"created_at": 1, "version": "1"},
    "epoch": {"created_at": 1, "epoch": True},
    "password_hash": {"created_at": 1, "password_hash": b"bytes"},
}


@pytest.fixture
def database() -> Iterator[Database[Any]]:
    with servers.database("mongodb") as url, MongoClient[Any](url) as client:
        store = MongoUserStore(client.get_default_database())
        run(store.ensure_indexes())
        run(store.create(full_user("ann")))
        yield client.get_default_database()


@pytest.mark.parametrize("field", FOREIGN)
def test_a_foreign_document_is_reported_with_its_wrong_field(database: Database[Any], field: str) -> None:
    database["authx_users"].insert_one({"_id": "foreign", "email_key": "foreign@example.com", **FOREIGN[field]})
    store = MongoUserStore(database, timeout=5)
    for call in (
        lambda: store.get("foreign"),
        lambda: store.get_by_email("foreign@example.com"),
        lambda: store.search(EVERYBODY, limit=10),
        store.verify_schema,
    ):
        with pytest.raises(InvalidSchema, match=rf"document 'foreign', {field}: is .* so remove or convert it"):
            run(call())


@pytest.mark.parametrize("id_", [ObjectId(), 42, None, b"id", NOW, {"a": 1}], ids=lambda id_: type(id_).__name__)
def test_a_document_whose_id_is_not_text_is_ignored(database: Database[Any], id_: object) -> None:
    database["authx_users"].insert_one({"_id": id_, "email_key": "foreign@example.com", "active": True})
    store = MongoUserStore(database, timeout=5)
    assert [user.username for user in run(store.search(EVERYBODY, limit=10))] == [full_user("ann").username]
    assert run(store.count(EVERYBODY)) == 1
    assert run(store.search(UserQuery(email_prefix="foreign"), limit=10)) == []
    assert run(store.get_by_email("foreign@example.com")) is None
    with pytest.raises(InvalidSchema, match="_id: is not text"):
        run(store.verify_schema())


async def test_an_asynchronous_store_reports_foreign_documents_too(database: Database[Any]) -> None:
    database["authx_users"].insert_one({"_id": "foreign"})
    host, port = database.client.address or ("127.0.0.1", 27017)
    async with AsyncMongoClient[Any](host, port) as client:
        store = MongoUserStore(client[database.name], timeout=5)
        with pytest.raises(InvalidSchema, match="document 'foreign', created_at: is missing"):
            await store.get("foreign")
