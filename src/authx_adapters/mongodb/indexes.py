"""The indexes: how they are declared, made, and compared with existing ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
from pymongo import IndexModel
from pymongo.errors import OperationFailure

from authx_adapters.common.settle import settle
from authx_adapters.mongodb.collections import AnyCollection
from authx_core.domain import InvalidSchema, Problem

_CONTRADICTED: Final = (85, 86)
"""IndexOptionsConflict and IndexKeySpecsConflict."""
_DUPLICATE_KEY: Final = 11000


@attrs.frozen
class WantedIndex:
    """An index that a collection must have."""

    fields: tuple[str, ...]
    options: Mapping[str, Any]

    def model(self) -> IndexModel:
        """Return the model from which PyMongo makes it."""
        return IndexModel(list(self.fields), **self.options)

    def over_the_same(self, existing: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return the indexes over the same fields in this order, whatever their names."""
        return [index for index in existing if [field for field, _ in index["key"]] == list(self.fields)]

    def differences(self, there: Mapping[str, Any]) -> list[str]:
        """Say what is wrong with an existing index over the same fields."""
        only = "partialFilterExpression"
        wrong = {
            "is not unique": self.options.get("unique") and not there.get("unique"),
            "is not partial in the same way": there.get(only) != self.options.get(only) or "sparse" in there,
            "has a collation, which compares otherwise than code point by code point": "collation" in there,
        }
        return [reason for reason, holds in wrong.items() if holds]

    def recipe(self) -> str:
        """Return the call that makes it, for MongoDB's shell."""
        return f"createIndex({json.dumps(dict.fromkeys(self.fields, 1))}, {json.dumps(self.options)})"


def _present(field: str) -> dict[str, Any]:
    """Leave documents without this text out of an index.

    The filter is a comparison, because the planner then uses the index for queries of a text or a range. With
    ``{"$type": "string"}`` it reads the whole collection.
    """
    return {"partialFilterExpression": {field: {"$gte": ""}}}


def _unique(*fields: str) -> WantedIndex:
    return WantedIndex(fields, {"unique": True, **_present(fields[0])})


USERS: Final = (
    _unique("email_key"),
    _unique("username_key"),
    _unique("identities.provider", "identities.subject"),
    WantedIndex(("permissions", "_id"), _present("permissions")),
)
CACHE: Final = (WantedIndex(("deadline",), {}),)


async def missing(collection: AnyCollection, indexes: Iterable[WantedIndex]) -> list[IndexModel]:
    """Return the indexes that are missing."""
    there = (await settle(collection.index_information())).values()
    return [index.model() for index in indexes if any(_problems("", index, there))]


async def make(collection: AnyCollection, indexes: Iterable[WantedIndex], missing: Sequence[IndexModel]) -> None:
    """Make those of the indexes that are missing. Raises `InvalidSchema` if existing indexes or users prevent it."""
    if not missing:
        return
    try:
        await settle(collection.create_indexes(missing))
    except OperationFailure as error:
        if error.code == _DUPLICATE_KEY:
            reason = "holds users that share a key: change or remove all but one, then call ensure_indexes() again"
            raise InvalidSchema(Problem(collection.name, "duplicates", reason)) from error
        if error.code in _CONTRADICTED:
            raise InvalidSchema(*await problems(collection, indexes)) from error
        raise


async def problems(collection: AnyCollection, indexes: Iterable[WantedIndex]) -> list[Problem]:
    """Return the faults of a collection's indexes."""
    there = (await settle(collection.index_information())).values()
    return [problem for index in indexes for problem in _problems(collection.name, index, there)]


def _problems(name: str, index: WantedIndex, existing: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
    faults = [index.differences(each) for each in index.over_the_same(existing)]
    where = f"{name}.{','.join(index.fields)}"
    if not faults:
        yield Problem(where, "missing", f"has no index: call ensure_indexes() or {index.recipe()}")
    elif [] not in faults:
        fault = " and ".join(faults[0])
        reason = f"has an index that {fault}: drop it, then call ensure_indexes() or {index.recipe()}"
        yield Problem(where, "wrong_index", reason)
