"""User stores on MongoDB with one wrong command for `NEXT` each."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

import attrs
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from authx_adapters.mongodb.documents import from_document, to_document
from authx_adapters.mongodb.queries import unchanged
from authx_core.domain import NEXT, User, UserChanges, UserFields, UserId, checks
from zoo.servers.on_mongodb_users import Store, broken


class Raises(Store):
    """Raises the epoch by a command that a mutant replaces; if it matches nobody, the project's store answers."""

    answer: ClassVar[bool] = ReturnDocument.AFTER
    bounded: ClassVar[bool] = True

    def command(self, fields: dict[str, Any]) -> Any:
        return {"$set": fields, "$inc": {"version": 1, "epoch": 1}}

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        checks.check_update(changes, expected)
        if changes.get("epoch") is not NEXT or not checks.is_text(user_id):
            return await super().update(user_id, changes, expected=expected)
        command = self.command(to_document({name: value for name, value in changes.items() if value is not NEXT}))
        matching = unchanged(user_id, expected, raised=self.bounded)
        found = None
        with self._call(), suppress(DuplicateKeyError):
            found = await self.collection.find_one_and_update(matching, command, return_document=self.answer)
        return from_document(found) if found else await super().update(user_id, changes, expected=expected)


@broken("U-038", "`NEXT` is the version plus one")
class NextIsTheVersion(Raises):
    def command(self, fields: dict[str, Any]) -> Any:
        given = {name: {"$literal": value} for name, value in fields.items()}
        return [{"$set": given | {name: {"$add": ["$version", 1]} for name in ("version", "epoch")}}]


@broken("U-038", "`NEXT` adds a double, and the epoch is one from then on")
class NextIsDouble(Raises):
    def command(self, fields: dict[str, Any]) -> Any:
        return {"$set": fields, "$inc": {"version": 1, "epoch": 1.0}}


@broken("U-038", "an update by `NEXT` returns the user from before it, as find_one_and_update does by default")
class NextAnswersBefore(Raises):
    answer = ReturnDocument.BEFORE


@broken("U-038", "an epoch at its maximum is left to BSON, and reported as an outage")
class NextHasNoEnd(Raises):
    bounded = False


@broken("U-039", "the epoch rises in a second command, after the version")
class NextIsWrittenLater(Raises):
    def command(self, fields: dict[str, Any]) -> Any:
        return {"$set": fields, "$inc": {"version": 1}}

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        after = await super().update(user_id, changes, expected=expected)
        if changes.get("epoch") is not NEXT:
            return after
        with self._call():
            await self.collection.update_one({"_id": user_id}, {"$inc": {"epoch": 1}})
        return attrs.evolve(after, epoch=after.epoch + 1)
