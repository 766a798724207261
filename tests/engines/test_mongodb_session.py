"""A store in the caller's transaction: a commit keeps everything, a rollback leaves nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Any, TypeAlias

import attrs
import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import InvalidOperation, PyMongoError

import servers
from authx_adapters.common.settle import settle
from authx_adapters.mongodb import MongoUserStore
from authx_contract.samples.users import EVERYBODY, full_user, make_user
from authx_core.blocking import run
from authx_core.domain import IdentifierTaken, StaleUser, StoreUnavailable, UserNotFound

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
Connect: TypeAlias = Callable[[], Any]


@pytest.fixture(params=[MongoClient, AsyncMongoClient])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    with servers.database("mongodb-replica-set") as url:
        yield lambda: request.param(url)


@asynccontextmanager
async def connected(connect: Connect) -> AsyncGenerator[tuple[Any, MongoUserStore, Any], None]:
    """Lend a database, a store outside of any transaction, and a session."""
    client = connect()
    database = client.get_default_database()
    outside = MongoUserStore(database)
    await outside.ensure_indexes()
    session = client.start_session()
    try:
        yield database, outside, session
    finally:
        await settle(session.end_session())
        await settle(client.close())


async def begin(session: Any) -> None:
    await settle(session.start_transaction())


async def test_a_commit_keeps_all_and_a_rollback_leaves_nothing(connect: Connect) -> None:
    async with connected(connect) as (database, outside, session):
        inside = MongoUserStore(database, session=session)
        ann, bob = full_user("ann"), await outside.create(full_user("bob"))
        for ends in ("abort_transaction", "commit_transaction"):
            await begin(session)
            created = await inside.create(ann)
            changed = await inside.update(ann.id, {"username": "Eve", "username_key": "eve"}, expected={"version": 1})
            assert await inside.get(ann.id) == changed
            assert await inside.get_by_username("eve") == changed
            assert await inside.get_by_social("google", "ann-1") == changed
            assert await inside.search(EVERYBODY, limit=9) == [changed, bob]
            assert await inside.count(EVERYBODY) == 2
            assert await inside.delete(bob.id)
            await inside.set_blackout(NOON)
            assert await inside.get_blackout() == NOON
            with pytest.raises(StaleUser):
                await inside.update(ann.id, {}, expected={"version": created.version})
            with pytest.raises(UserNotFound):
                await inside.update(bob.id, {}, expected={"version": 1})
            assert await outside.search(EVERYBODY, limit=9) == [bob], "the transaction was visible before its commit"
            assert await outside.get_blackout() is None
            await settle(database["orders"].insert_one({"_id": ends}, session=session))
            await settle(getattr(session, ends)())
            if ends == "abort_transaction":
                assert await outside.search(EVERYBODY, limit=9) == [bob], "a user survived the rollback"
                assert await outside.get_by_social("google", "ann-1") is None
                twin = await outside.create(attrs.evolve(ann, id=make_user().id))
                assert await outside.delete(twin.id), "keys stayed taken after the rollback"
        assert await outside.search(EVERYBODY, limit=9) == [changed]
        assert await outside.get_blackout() == NOON
        orders: list[Any] = await settle(database["orders"].find().to_list())
        assert orders == [{"_id": "commit_transaction"}]


async def test_a_blackout_is_lifted_with_the_commit(connect: Connect) -> None:
    async with connected(connect) as (database, outside, session):
        inside = MongoUserStore(database, session=session)
        await outside.set_blackout(NOON)
        for ends, left in (("abort_transaction", NOON), ("commit_transaction", None)):
            await begin(session)
            await inside.set_blackout(None)
            assert await inside.get_blackout() is None
            assert await outside.get_blackout() == NOON
            await settle(getattr(session, ends)())
            assert await outside.get_blackout() == left


async def test_a_taken_key_is_reported_and_ends_the_transaction(connect: Connect) -> None:
    async with connected(connect) as (database, outside, session):
        inside = MongoUserStore(database, session=session)
        ann, bob = await outside.create(full_user("ann")), await outside.create(full_user("bob"))
        mixed = make_user(email_key=ann.email_key, username_key=bob.username_key, identities=bob.identities)
        for call, fields in (
            (inside.create(mixed), {"email", "username", "identities"}),
            (inside.create(attrs.evolve(mixed, id=ann.id)), {"id", "email", "username", "identities"}),
            (inside.update(bob.id, {"email_key": ann.email_key}), {"email"}),
        ):
            await begin(session)
            eve = await inside.create(full_user("eve"))
            with pytest.raises(IdentifierTaken) as refused:
                await call
            assert refused.value.fields == fields
            with pytest.raises(StoreUnavailable):
                await inside.get(eve.id)
            assert not session.in_transaction or await settle(session.abort_transaction()) is None
            assert await outside.search(EVERYBODY, limit=9) == [ann, bob]


async def test_a_key_taken_in_the_same_transaction_is_reported(connect: Connect) -> None:
    async with connected(connect) as (database, outside, session):
        inside = MongoUserStore(database, session=session)
        await begin(session)
        await inside.create(full_user("ann"))
        with pytest.raises(IdentifierTaken) as refused:
            await inside.create(make_user(username_key="ann"))
        assert refused.value.fields == {"username"}
        await settle(session.abort_transaction())
        assert await outside.count(EVERYBODY) == 0


async def test_the_second_of_two_conflicting_transactions_may_be_retried(connect: Connect) -> None:
    async with connected(connect) as (database, outside, session):
        other = database.client.start_session()
        await begin(session)
        await begin(other)
        ann = full_user("ann")
        await MongoUserStore(database, session=session).create(ann)
        with pytest.raises(StoreUnavailable, match="WriteConflict") as refused:
            await MongoUserStore(database, session=other).create(attrs.evolve(ann, id=make_user().id))
        assert isinstance(refused.value.__cause__, PyMongoError)
        assert refused.value.__cause__.has_error_label("TransientTransactionError")
        await settle(session.commit_transaction())
        await settle(other.abort_transaction())
        await settle(other.end_session())
        assert await outside.search(EVERYBODY, limit=9) == [ann]


def test_with_transaction_retries_on_the_cause_of_store_unavailable() -> None:
    with (
        servers.database("mongodb-replica-set") as url,
        MongoClient[dict[str, Any]](url) as client,
        client.start_session() as session,
        client.start_session() as other,
    ):
        database, ann = client.get_default_database(), full_user("ann")
        run(MongoUserStore(database).ensure_indexes())
        other.start_transaction()
        run(MongoUserStore(database, session=other).create(ann))
        attempts = list[int]()

        def register(session: ClientSession) -> None:
            attempts.append(len(attempts))
            try:
                run(MongoUserStore(database, session=session).create(ann))
            except StoreUnavailable as error:
                other.abort_transaction()
                raise (error.__cause__ or error) from None

        session.with_transaction(register)
        assert attempts == [0, 1]
        assert run(MongoUserStore(database).get(ann.id)) == ann


async def test_a_session_without_a_transaction_stays_without_one(connect: Connect) -> None:
    async with connected(connect) as (database, outside, session):
        store = MongoUserStore(database, session=session)
        ann = await store.create(full_user("ann"))
        assert not session.in_transaction
        assert await outside.get(ann.id) == await store.get(ann.id) == ann
        with pytest.raises(InvalidOperation):
            await settle(session.commit_transaction())


async def test_a_standalone_server_has_no_transactions() -> None:
    with (
        servers.database("mongodb") as url,
        MongoClient[dict[str, Any]](url) as client,
        client.start_session() as session,
    ):
        store = MongoUserStore(client.get_default_database(), session=session)
        session.start_transaction()
        with pytest.raises(StoreUnavailable, match="IllegalOperation"):
            await store.create(full_user("ann"))
        session.abort_transaction()
        assert await MongoUserStore(client.get_default_database()).count(EVERYBODY) == 0
