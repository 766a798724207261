"""The commands that MongoDB receives: one a call, acknowledged by a majority, answered from an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import attrs
import pytest
from pymongo import MongoClient, WriteConcern
from pymongo.database import Database
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

import servers
from authx_adapters.clock import ManualClock
from authx_adapters.mongodb import MongoCache, MongoUserStore
from authx_contract.samples.users import EVERYBODY, full_user, make_user
from authx_core.blocking import run
from authx_core.domain import (
    IdentifierTaken,
    Secret,
    SocialIdentity,
    StaleUser,
    StoreUnavailable,
    UserNotFound,
    UserQuery,
)
from authx_core.domain.frozen import FrozenDict

Commands = list[Mapping[str, Any]]
MINUTE: Final = timedelta(minutes=1)
NOON: Final = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
HOSTILE: Final = (
    '{"$gt": ""}',
    "$where",
    "$literal",
    "$$ROOT",
    "a.b",
    ".*",
    "^h",
    "%",
    "_",
    "\\",
    "\\E.*",
    "'",
    '"',
    "/a/i",
)


class _CommandRecorder(CommandListener):
    """Records every command that is sent."""

    def __init__(self) -> None:
        self.commands: Commands = []

    def started(self, event: CommandStartedEvent) -> None:
        self.commands.append(event.command)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Ignore the outcome."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Ignore the outcome."""


@pytest.fixture
def recorder() -> _CommandRecorder:
    return _CommandRecorder()


@pytest.fixture(params=["mongodb", "mongodb-replica-set"])
def database(request: pytest.FixtureRequest, recorder: _CommandRecorder) -> Iterator[Database[dict[str, Any]]]:
    with (
        servers.database(request.param) as url,
        MongoClient[dict[str, Any]](url, event_listeners=[recorder]) as client,
    ):
        yield client.get_default_database()


@pytest.fixture
def store(database: Database[dict[str, Any]], recorder: _CommandRecorder) -> MongoUserStore:
    store = MongoUserStore(database)
    run(store.ensure_indexes())
    recorder.commands.clear()
    return store


@pytest.fixture
def cache(database: Database[dict[str, Any]], recorder: _CommandRecorder, clock: ManualClock) -> MongoCache:
    cache = MongoCache(database, clock)
    run(cache.ensure_indexes())
    recorder.commands.clear()
    return cache


def test_every_user_store_call_is_one_command(store: MongoUserStore, recorder: _CommandRecorder) -> None:
    ann, bob = full_user("ann"), full_user("bob")

    def sent(call: Any, *errors: type[Exception]) -> list[str]:
        recorder.commands.clear()
        if errors:
            with pytest.raises(errors):
                run(call)
        else:
            run(call)
        return [next(iter(command)) for command in recorder.commands]

    assert sent(store.create(ann)) == ["insert"]
    assert sent(store.create(bob)) == ["insert"]
    assert sent(store.create(full_user("ann")), IdentifierTaken) == ["insert", "find"]
    assert sent(store.get(ann.id)) == ["find"]
    assert sent(store.get_by_email("ann@example.com")) == ["find"]
    assert sent(store.get_by_username("ann")) == ["find"]
    assert sent(store.get_by_social("google", "ann-1")) == ["find"]
    assert sent(store.update(ann.id, {"identities": ann.identities[:1]}, expected={"version": 1})) == ["findAndModify"]
    assert sent(store.update(ann.id, {}, expected={"version": 1}), StaleUser) == ["findAndModify", "find"]
    assert sent(store.update("nobody", {}), UserNotFound) == ["findAndModify"]
    assert sent(store.update("nobody", {}, expected={"version": 1}), UserNotFound) == ["findAndModify", "find"]
    assert sent(store.update(ann.id, {"username_key": "bob"}), IdentifierTaken) == ["findAndModify", "find"]
    assert sent(store.delete(ann.id)) == ["delete"]
    assert sent(store.count(EVERYBODY)) == ["aggregate"]
    assert sent(store.get_blackout()) == ["find"]
    assert sent(store.set_blackout(NOON)) == ["findAndModify"]
    assert sent(store.set_blackout(None)) == ["delete"]


def test_a_large_page_is_one_command(store: MongoUserStore, recorder: _CommandRecorder) -> None:
    for _ in range(300):
        run(store.create(make_user()))
    recorder.commands.clear()
    assert len(run(store.search(EVERYBODY, limit=1000))) == 300
    assert len(run(store.search(EVERYBODY, limit=200))) == 200
    assert [next(iter(command)) for command in recorder.commands] == ["find", "find"]


def test_one_command_finds_which_of_102_keys_are_taken(store: MongoUserStore, recorder: _CommandRecorder) -> None:
    identities = [SocialIdentity("github", str(number)) for number in range(100)]
    for identity in identities:
        run(store.create(make_user(identities=(identity,))))
    run(store.create(make_user(email_key="ann@example.com")))
    run(store.create(make_user(username_key="ann")))
    recorder.commands.clear()
    with pytest.raises(IdentifierTaken) as refused:
        run(store.create(attrs.evolve(full_user("ann"), identities=tuple(identities))))
    assert refused.value.fields == {"email", "username", "identities"}
    assert [next(iter(command)) for command in recorder.commands] == ["insert", "find"]


def test_every_cache_call_but_increment_many_is_one_command(cache: MongoCache, recorder: _CommandRecorder) -> None:
    def sent(call: Any) -> list[str]:
        recorder.commands.clear()
        run(call)
        return [next(iter(command)) for command in recorder.commands]

    many = [str(number) for number in range(500)]
    assert sent(cache.set("key", "value", ttl=MINUTE)) == ["update"]
    assert sent(cache.add("key", "value", ttl=MINUTE)) == ["update"]
    assert sent(cache.get("key")) == ["find"]
    assert sent(cache.pop("key")) == ["findAndModify"]
    assert sent(cache.add("key", "value", ttl=MINUTE)) == ["update"]
    assert sent(cache.delete("key")) == ["delete"]
    assert sent(cache.increment("key", ttl=MINUTE)) == ["findAndModify"]
    assert sent(cache.increment_many(many, ttl=MINUTE)) == ["findAndModify"] * 500
    assert sent(cache.get_many(many)) == ["find"]
    assert sent(cache.get_many([])) == []
    assert sent(cache.purge()) == ["delete"]


@pytest.mark.parametrize("concern", [WriteConcern(w=1), WriteConcern(w=0), WriteConcern(wtimeout=7_000)])
def test_a_majority_acknowledges_each_write_whatever_the_client_asks_for(
    database: Database[dict[str, Any]], recorder: _CommandRecorder, clock: ManualClock, concern: WriteConcern
) -> None:
    weak = database.client.get_database(database.name, write_concern=concern)
    store, cache, user = MongoUserStore(weak), MongoCache(weak, clock), full_user("ann")
    run(store.create(user))
    run(store.update(user.id, {}))
    run(store.set_blackout(NOON))
    run(store.delete(user.id))
    run(cache.set("key", "1", ttl=MINUTE))
    run(cache.increment("key", ttl=MINUTE))
    run(cache.pop("key"))
    timeout = concern.document.get("wtimeout", 10_000)
    written = [dict(command["writeConcern"]) for command in recorder.commands]
    assert written == [{"w": "majority", "j": True, "wtimeout": timeout}] * 7
    recorder.commands.clear()
    run(store.search(EVERYBODY, limit=1))
    run(cache.get("key"))
    assert [command["readConcern"]["level"] for command in recorder.commands] == ["majority"] * 2


def _plan(database: Database[dict[str, Any]], recorder: _CommandRecorder, verbosity: str = "queryPlanner") -> Any:
    """Explain the last command."""
    sent = {key: value for key, value in recorder.commands[-1].items() if key not in {"lsid", "$db", "$clusterTime"}}
    return database.command({"explain": sent}, verbosity=verbosity)


def _scans(plan: Any) -> list[tuple[str, Any]]:
    """Return the index and the bounds of every scan of a winning plan; a scan without an index has no bounds."""
    if isinstance(plan, list):
        return [scan for part in plan for scan in _scans(part)]
    if not isinstance(plan, dict):
        return []
    if plan.get("stage") in {"IDHACK", "COLLSCAN"}:
        return [(plan["stage"], None)]
    if plan.get("stage") == "IXSCAN":
        return [(plan["indexName"], plan["indexBounds"])]
    return [scan for key, part in plan.items() if key != "rejectedPlans" for scan in _scans(part)]


def test_lookups_and_prefix_searches_scan_only_matching_index_entries(
    database: Database[dict[str, Any]], store: MongoUserStore, recorder: _CommandRecorder
) -> None:
    for number in range(200):
        run(store.create(full_user(f"{number:03}")))

    def scans(call: Any) -> list[tuple[str, Any]]:
        assert run(call), "found nothing"
        return _scans(_plan(database, recorder)["queryPlanner"]["winningPlan"])

    def search(**query: Any) -> Any:
        return store.search(UserQuery(**query), limit=100)

    ((kind, _),) = scans(store.get(run(store.search(EVERYBODY, limit=1))[0].id))
    assert kind == "IDHACK"
    email = {"email_key": ['["007@example.com", "007@example.com"]']}
    assert scans(store.get_by_email("007@example.com")) == [("email_key_1", email)]
    assert scans(store.get_by_username("007")) == [("username_key_1", {"username_key": ['["007", "007"]']})]
    social = {"identities.provider": ['["google", "google"]'], "identities.subject": ['["007-1", "007-1"]']}
    assert scans(store.get_by_social("google", "007-1")) == [("identities.provider_1_identities.subject_1", social)]
    assert scans(search(email_prefix="01")) == [("email_key_1", {"email_key": ['["01", "02")']})]
    assert scans(search(username_prefix="01")) == [("username_key_1", {"username_key": ['["01", "02")']})]
    permission = {"permissions": ['["write:007", "write:007"]'], "_id": ["[MinKey, MaxKey]"]}
    assert scans(search(permission="write:007")) == [("permissions_1__id_1", permission)]


def test_purging_scans_only_expired_entries(
    database: Database[dict[str, Any]], cache: MongoCache, clock: ManualClock, recorder: _CommandRecorder
) -> None:
    for number in range(50):
        run(cache.set(str(number), "1", ttl=(number + 1) * MINUTE))
    clock.advance(10 * MINUTE)
    assert run(cache.purge()) == 10
    ((index, bounds),) = _scans(_plan(database, recorder)["queryPlanner"]["winningPlan"])
    now = (clock.now() - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)
    assert (index, bounds) == ("deadline_1", {"deadline": [f"[-inf.0, {now}]"]})


def test_taken_keys_are_looked_up_in_the_indexes(
    database: Database[dict[str, Any]], store: MongoUserStore, recorder: _CommandRecorder
) -> None:
    for number in range(50):
        run(store.create(full_user(f"{number:03}")))
    with pytest.raises(IdentifierTaken):
        run(store.create(full_user("007")))
    used = {index for index, _ in _scans(_plan(database, recorder)["queryPlanner"]["winningPlan"])}
    assert used == {"_id_", "email_key_1", "username_key_1", "identities.provider_1_identities.subject_1"}


def test_a_page_at_the_largest_offset_is_empty(store: MongoUserStore) -> None:
    run(store.create(make_user()))
    assert run(store.search(EVERYBODY, limit=1000, offset=2**63 - 1)) == []


def test_permissions_are_stored_in_order(database: Database[dict[str, Any]], store: MongoUserStore) -> None:
    permissions = [f"permission {number:02}" for number in range(20)]
    user = run(store.create(make_user(permissions=frozenset(permissions))))
    stored = database["authx_users"].find_one(user.id)
    assert stored is not None
    assert stored["permissions"] == permissions


def test_an_error_does_not_repeat_values_from_the_servers_message(
    database: Database[dict[str, Any]], store: MongoUserStore
) -> None:
    user = run(store.create(make_user()))
    database["authx_users"].update_one({}, {"$set": {"version": "spoilt"}})
    with pytest.raises(StoreUnavailable, match="TypeMismatch") as refused:
        run(store.update(user.id, {}))
    assert user.id in str(refused.value.__cause__)
    assert user.id not in str(refused.value)


def test_the_last_page_costs_no_more_than_the_first(
    database: Database[dict[str, Any]], store: MongoUserStore, recorder: _CommandRecorder
) -> None:
    users = [run(store.create(make_user())) for _ in range(100)]
    for after in (None, users[49].id, users[89].id):
        assert len(run(store.search(EVERYBODY, limit=10, after=after))) == 10
        read = _plan(database, recorder, "executionStats")["executionStats"]
        assert (read["totalKeysExamined"], read["totalDocsExamined"]) == (10, 10)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_found_literally(store: MongoUserStore, cache: MongoCache, text: str) -> None:
    run(store.create(full_user("other")))
    user = make_user(
        email=text,
        email_key=text,
        username=text,
        username_key=text,
        permissions=frozenset({text}),
        identities=(SocialIdentity(text, text),),
        extra={text: {text: [text]}},
    )
    assert run(store.create(user)) == user
    found = [run(store.get_by_email(text)), run(store.get_by_username(text)), run(store.get_by_social(text, text))]
    queries = [
        UserQuery(email_contains=text, email_prefix=text),
        UserQuery(username_contains=text, username_prefix=text),
        UserQuery(permission=text),
    ]
    found += [only for query in queries for only in run(store.search(query, limit=10))]
    assert found == [user] * 6
    assert [run(store.count(query)) for query in queries] == [1, 1, 1]
    assert run(store.update(user.id, {"username": text}, expected={"email": text, "permissions": user.permissions}))
    run(cache.set(text, text, ttl=MINUTE))
    assert run(cache.get_many(["other", text])) == [None, text]
    assert run(cache.pop(text)) == text


def test_extra_may_look_like_a_bson_reference(store: MongoUserStore) -> None:
    extra: dict[str, Any] = {"link": {"$ref": "c", "$id": 1, "$db": None}, "odd": {"$ref": 1, "$id": [2**40]}}
    user = run(store.create(make_user(extra=extra)))
    for each in (user, run(store.get(user.id)), run(store.update(user.id, {"extra": {"deeper": extra}}))):
        assert each is not None
        assert each.extra in (extra, {"deeper": extra})
        assert isinstance(each.extra, FrozenDict)
    found = run(store.get(user.id))
    assert found is not None
    number: Any = found.extra["deeper"]
    assert type(number["odd"]["$id"][0]) is int


def test_an_application_may_query_extra(database: Database[dict[str, Any]], store: MongoUserStore) -> None:
    user = run(store.create(make_user(extra={"plan": "gold", "seats": 3})))
    found = database["authx_users"].find_one({"extra.plan": "gold", "extra.seats": {"$gt": 2}}, ["_id"])
    assert found == {"_id": user.id}


def test_a_user_refused_by_an_applications_unique_index_is_store_unavailable(
    database: Database[dict[str, Any]], store: MongoUserStore
) -> None:
    database["authx_users"].create_index("extra.badge", unique=True, sparse=True)
    run(store.create(make_user(extra={"badge": 1})))
    with pytest.raises(StoreUnavailable, match="not the store's own"):
        run(store.create(make_user(extra={"badge": 1})))


def test_an_error_of_an_applications_validator_shows_no_password_hash(
    database: Database[dict[str, Any]], store: MongoUserStore
) -> None:
    database.command("collMod", "authx_users", validator={"password_hash": {"$not": {"$regex": "secret"}}})
    user = run(store.create(make_user()))
    for call in (
        store.create(make_user(password_hash=Secret("a secret"))),
        store.update(user.id, {"password_hash": Secret("a secret")}),
    ):
        with pytest.raises(StoreUnavailable, match=r"WriteError|DocumentValidationFailure") as refused:
            run(call)
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__


def test_purging_removes_only_expired_entries(cache: MongoCache, clock: ManualClock) -> None:
    for number in range(5):
        run(cache.set(f"short {number}", "1", ttl=MINUTE))
    run(cache.increment("counter", ttl=MINUTE))
    run(cache.set("long", "1", ttl=2 * MINUTE))
    clock.advance(MINUTE - timedelta(microseconds=1))
    assert run(cache.purge()) == 0
    clock.advance(timedelta(microseconds=1))
    assert run(cache.purge()) == 6
    assert run(cache.purge()) == 0
    assert run(cache.get("long")) == "1"
