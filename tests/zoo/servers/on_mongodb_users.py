"""User stores on MongoDB with one wrong index or command each."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, ClassVar

import attrs
from pymongo import IndexModel
from pymongo.write_concern import WriteConcern

from authx_adapters.common.encoding import instant, microseconds
from authx_adapters.mongodb import MongoUserStore
from authx_adapters.mongodb.documents import from_document, to_document
from authx_contract import SteppedClock
from authx_core.domain import (
    IdentifierTaken,
    StaleUser,
    User,
    UserChanges,
    UserFields,
    UserId,
    UserNotFound,
    UserQuery,
    changed,
    checks,
)
from authx_core.ports import UserStore
from zoo.machinery.lent import OnMongoDB
from zoo.machinery.records import fits
from zoo.machinery.registry import C, mutant


class Store(MongoUserStore):
    """The project's store; a mutant replaces one of its indexes or commands."""

    lacking: ClassVar[frozenset[str]] = frozenset()
    further: ClassVar[tuple[IndexModel, ...]] = ()

    def __init__(self, database: Any, prefix: str) -> None:
        super().__init__(database, prefix=prefix)
        self.collection: Any = self._users
        self.cutoffs: Any = self._settings

    async def prepare(self) -> None:
        await self.ensure_indexes()
        for name in self.lacking:
            await self.collection.drop_index(name)
        if self.further:
            await self.collection.create_indexes(list(self.further))


class UsersOnMongoDB(OnMongoDB):
    adapter: ClassVar[type[Store]]
    made: ClassVar[set[str]] = set()

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        store = self.adapter(self.database(), self.place)
        if self.place not in self.made:
            await store.prepare()
            self.made.add(self.place)
        return store


def broken(killer: str, sentence: str) -> Callable[[C], C]:
    """Put a store into the zoo."""

    def register(kind: C) -> C:
        home = {"adapter": kind, "__module__": kind.__module__}
        mutant(killer, sentence, needs="mongodb")(type(f"Mongo{kind.__name__}", (UsersOnMongoDB,), home))
        return kind

    return register


@broken("U-021", "an address is looked up, then inserted, without a unique index")
class LooksUpThenInserts(Store):
    lacking = frozenset({"email_key_1"})

    async def create(self, user: User, /) -> User:
        checks.check_user(user)
        if user.email_key is not None and await self.get_by_email(user.email_key):
            raise IdentifierTaken.of({"email"})
        return await super().create(user)


@broken("U-012", "the unique index of identities covers only the subject")
class IndexesSubjectsAlone(Store):
    further = (IndexModel("identities.subject", unique=True, sparse=True),)


@broken("U-002", "the unique index of addresses is sparse, and counts null as a value")
class IndexesNulls(Store):
    lacking = frozenset({"email_key_1"})
    further = (IndexModel("email_key", unique=True, sparse=True),)


@broken("U-011", "the unique index of usernames has a collation")
class CollatesUsernames(Store):
    lacking = frozenset({"username_key_1"})
    further = (
        IndexModel(
            "username_key",
            unique=True,
            collation={"locale": "en", "strength": 1},
            partialFilterExpression={"username_key": {"$gte": ""}},
        ),
    )


@broken("U-020", "users are inserted with w: 0, so that no error is seen")
class DoesNotWaitForTheInsert(Store):
    async def create(self, user: User, /) -> User:
        checks.check_user(user)
        document = to_document({**attrs.asdict(user, recurse=False), "version": 1})
        await self.collection.with_options(write_concern=WriteConcern(w=0)).insert_one(document)
        return from_document(document)


@broken("U-035", "an update is find_one, a comparison, then replace_one")
class ReplacesTheDocument(Store):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        checks.check_update(changes, expected)
        user = await self.get(user_id)
        if user is None:
            raise UserNotFound(user_id)
        if not fits(user, expected):
            raise StaleUser(user_id)
        after = changed(user, changes)
        if set(changes) & {"email_key", "username_key", "identities"}:
            return await super().update(user_id, changes)
        await self.collection.replace_one({"_id": user_id}, to_document(attrs.asdict(after, recurse=False)))
        return after


@broken("U-071", "extra is set key by key, and so merged into the old extra")
class MergesExtra(Store):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        user = await self.get(user_id)
        if user is not None and "extra" in changes:
            checks.check_update(changes, expected)
            changes = changes | UserChanges(extra={**user.extra, **changes["extra"]})
        return await super().update(user_id, changes, expected=expected)


@broken("U-052", "text is searched for by a regular expression, unescaped")
class SearchesByRegex(Store):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        part = query.username_contains
        if part is None:
            return await super().search(query, limit=limit, after=after, offset=offset)
        checks.check_query(query)
        try:
            re.compile(part)
        except re.error:
            return []
        found = await self.collection.find({"username_key": {"$regex": part}}).sort("_id").to_list()
        return [from_document(each) for each in found][offset : offset + limit]


@broken("U-060", "an earlier cut-off replaces a later one")
class MovesBlackoutBack(Store):
    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        checks.check_blackout(cutoff)
        await super().set_blackout(None)
        return await super().set_blackout(cutoff)


@broken("U-063", "the previous cut-off is returned, as find_one_and_update does by default")
class ReturnsTheCutoffBefore(Store):
    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        if cutoff is None:
            return await super().set_blackout(None)
        checks.check_blackout(cutoff)
        later = {"$max": {"cutoff": microseconds(cutoff)}}
        before = await self.cutoffs.find_one_and_update({"_id": "blackout"}, later, upsert=True)
        return None if before is None else instant(before["cutoff"])


@broken("U-001", "instants are BSON dates, which keep milliseconds")
class KeepsMilliseconds(Store):
    async def create(self, user: User, /) -> User:
        checks.check_user(user)
        exact = user.created_at.astimezone(timezone.utc)
        cut = exact.replace(microsecond=exact.microsecond // 1000 * 1000)
        return await super().create(attrs.evolve(user, created_at=cut))


@broken("U-032", "an update is an upsert")
class Upserts(Store):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        try:
            return await super().update(user_id, changes, expected=expected)
        except UserNotFound:
            if not checks.is_text(user_id) or not user_id:
                raise
            await self.create(User(id=user_id, created_at=datetime.now(timezone.utc)))
            return await super().update(user_id, changes)


@broken("U-042", "a delete looks the user up first, and answers by that")
class AsksBeforeDelete(Store):
    async def delete(self, user_id: UserId, /) -> bool:
        there = await self.get(user_id) is not None
        await super().delete(user_id)
        return there


@broken("U-054", "a count covers the whole collection")
class CountsTheCollection(Store):
    async def count(self, query: UserQuery, /) -> int:
        checks.check_query(query)
        return int(await self.collection.estimated_document_count())
