"""Checks what the promises depend on: the server, its write concern, and collections without collations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import OperationFailure
from pymongo.write_concern import WriteConcern

from authx_adapters.common.settle import settle
from authx_adapters.mongodb import indexes
from authx_adapters.mongodb.collections import AnyCollection, AnyDatabase, AnySession, Document
from authx_adapters.mongodb.documents import from_document
from authx_core.domain import InvalidSchema, Problem

_OLDEST: Final = (6, 0)
"""The oldest version on which the contract was proved; before 5.0, keys with ``$`` and ``.`` were refused."""
_SAMPLE: Final = 20
"""Documents that are checked at either end, and problems of documents that are reported."""
_REMEDIES: Final = {
    "client": "connect with w=majority",
    "database": 'take it with write_concern=WriteConcern("majority")',
    "session": 'start it with TransactionOptions(write_concern=WriteConcern("majority"))',
    "cluster": "connect with w=majority, or have setDefaultRWConcern set it",
}


async def verify(
    database: AnyDatabase,
    collections: Iterable[tuple[AnyCollection, Iterable[indexes.WantedIndex]]],
    session: AnySession | None = None,
    *,
    users: AnyCollection | None = None,
) -> None:
    """Raise `InvalidSchema` with everything that would break a promise."""
    found = [*await _version(database), *await _concerns(database, session)]
    for collection, wanted in collections:
        found += _options(collection.name, await settle(collection.options()))
        found += await indexes.problems(collection, wanted)
    if users is not None:
        found += await _documents(users)
    if found:
        raise InvalidSchema(*found)


async def _documents(users: AnyCollection) -> list[Problem]:
    """Check the first and the last documents by id: ids that are not text are among them."""
    problems = list[Problem]()
    for order in (ASCENDING, DESCENDING):
        cursor = users.find({}, sort=[("_id", order)], limit=_SAMPLE, batch_size=_SAMPLE)
        found: list[Document] = await settle(cursor.to_list())
        for document in found:
            try:
                from_document(document)
            except InvalidSchema as invalid:
                problems += invalid.problems
    return list(dict.fromkeys(problems))[:_SAMPLE]


async def _version(database: AnyDatabase) -> list[Problem]:
    version = (await settle(database.command("buildInfo")))["version"]
    if tuple(int(part) for part in version.split(".")[:2]) >= _OLDEST:
        return []
    oldest = ".".join(map(str, _OLDEST))
    return [Problem("server", "too_old", f"is MongoDB {version}: upgrade to {oldest} or later")]


async def _concerns(database: AnyDatabase, session: AnySession | None) -> list[Problem]:
    """Refuse a write concern below majority: a transaction around the adapter's writes would use it."""
    members = await settle(database.command("hello"))
    majority = len(members.get("hosts", ())) // 2 + 1
    given = {name: concern.document for name, concern in _concerns_of(database, session)}
    if not any("w" in concern for concern in given.values()):
        given["cluster"] = await _default(database)
    return [
        Problem(
            f"{name}.writeConcern",
            "below_majority",
            f"is w={concern['w']}, so that a failover undoes what it acknowledged: {_REMEDIES[name]}",
        )
        for name, concern in given.items()
        if isinstance(concern.get("w"), int) and concern["w"] < majority
    ]


def _concerns_of(database: AnyDatabase, session: AnySession | None) -> Iterator[tuple[str, WriteConcern]]:
    yield "client", database.client.write_concern
    if database.write_concern != database.client.write_concern:
        yield "database", database.write_concern
    options = session.options.default_transaction_options if session else None
    if options and options.write_concern:
        yield "session", options.write_concern


async def _default(database: AnyDatabase) -> dict[str, Any]:
    """Return the cluster's default. A standalone server has none, and not every role may ask."""
    try:
        answer = await settle(database.client.get_database("admin").command("getDefaultRWConcern"))
    except OperationFailure:
        return {}
    concern: dict[str, Any] = answer.get("defaultWriteConcern", {})
    return concern


def _options(name: str, options: Mapping[str, Any]) -> Iterator[Problem]:
    if "collation" in options:
        reason = "has a collation, by which different keys are equal: copy it into a collection without one"
        yield Problem(name, "collation", reason)
    if options.get("capped"):
        yield Problem(name, "capped", "is capped, so old documents are lost: copy it into a collection that is not")
