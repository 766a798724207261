"""Users in MongoDB."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
from pymongo import ASCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from authx_adapters.common.bare import bare
from authx_adapters.common.encoding import instant, microseconds
from authx_adapters.common.settle import settle
from authx_adapters.mongodb import indexes
from authx_adapters.mongodb.calls import Calls
from authx_adapters.mongodb.collections import LOCAL, AnyDatabase, AnySession, Document, durable
from authx_adapters.mongodb.documents import from_document, is_user, to_document
from authx_adapters.mongodb.keys import Key, keys, owner, refused
from authx_adapters.mongodb.queries import matching, unchanged
from authx_adapters.mongodb.verify import verify
from authx_adapters.unbounded import warn_unbounded
from authx_core.domain import (
    NEXT,
    IdentifierTaken,
    InvalidValue,
    StaleUser,
    StoreUnavailable,
    User,
    UserChanges,
    UserFields,
    UserId,
    UserNotFound,
    UserQuery,
    checks,
    limits,
)
from authx_core.ports import UserStore

_BLACKOUT: Final = {"_id": "blackout"}


class MongoUserStore(UserStore):
    """Users behind a `Database` or an `AsyncDatabase`, one document each, on a standalone server or a replica set.

    A document is not a user if its id is not text. If a call meets any other document that is not ours, it raises
    `InvalidSchema` with the id and the fields.

    Every call is one atomic command and one round trip; a call that is refused makes one more, to find the reason.
    Writes are acknowledged by a majority, whatever the client's settings: see `authx_adapters.mongodb.collections`.

    With ``session``, a `ClientSession` or its asynchronous twin, the store works inside the caller's transaction
    with its concerns, and never starts, commits or aborts one. MongoDB has no savepoints: a refused write, also of a
    taken key, aborts the transaction, so after `IdentifierTaken` and `StoreUnavailable` the caller must start a new
    one. If two transactions collide, one of them raises `StoreUnavailable`. Its ``__cause__`` has the label
    ``TransientTransactionError``: raise that inside ``with_transaction``, which then tries again.
    """

    def __init__(
        self,
        database: AnyDatabase,
        *,
        prefix: str = "authx_",
        session: AnySession | None = None,
        timeout: timedelta | float | None = None,
    ) -> None:
        """Use the collections ``{prefix}users``, with the indexes of `ensure_indexes`, and ``{prefix}settings``.

        Every call ends within ``timeout`` (seconds or a timedelta), including the wait for a server and a connection.
        None leaves that to the client. Raises `InvalidValue` for an impossible timeout.
        """
        self._database = database
        self._call = Calls(database, StoreUnavailable, timeout, session)
        self._users = durable(database, f"{prefix}users")
        self._settings = durable(database, f"{prefix}settings")
        self._newest = self._users.with_options(read_concern=LOCAL)
        self._session: Any = session  # of the same kind as the database, which a union of both cannot express

    async def ensure_indexes(self) -> None:
        """Make the missing indexes, outside of any transaction. Any number of processes may do so at once.

        Raises `InvalidSchema` if existing indexes contradict them, or if users share a key.
        """
        with self._call():
            missing = await indexes.missing(self._users, indexes.USERS)
        with self._call(unlimited=True):  # the time grows with the number of users
            await indexes.make(self._users, indexes.USERS, missing)

    async def verify_schema(self) -> None:
        """Check the server, its write concern, collations and indexes. Call it when an application starts.

        Raises `InvalidSchema` with everything that would break a promise, and the remedies. Issues an
        `UnboundedWarning` if neither the store nor the client has a timeout.
        """
        if not self._call.is_bounded:
            warn_unbounded(self)
        with self._call():
            await verify(
                self._database, [(self._users, indexes.USERS), (self._settings, ())], self._session, users=self._users
            )

    async def create(self, user: User, /) -> User:
        """Store a user; see the port."""
        checks.check_user(user)
        document = to_document({**attrs.asdict(user, recurse=False), "version": 1})
        with self._call():
            try:
                await settle(self._users.insert_one(document, session=self._session))
            except DuplicateKeyError as error:
                raise await self._taken(error, keys(document), {}) from bare(error)
        return from_document(document)

    async def get(self, user_id: UserId, /) -> User | None:
        """Return the user with this id."""
        return await self._owner("id", user_id)

    async def get_by_email(self, email_key: str, /) -> User | None:
        """Return the user with this canonical address."""
        return await self._owner("email", email_key)

    async def get_by_username(self, username_key: str, /) -> User | None:
        """Return the user with this canonical username."""
        return await self._owner("username", username_key)

    async def get_by_social(self, provider: str, subject: str, /) -> User | None:
        """Return the user who linked this account."""
        return await self._owner("identities", provider, subject)

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        """Compare and set; see the port."""
        checks.check_update(changes, expected)
        if not checks.is_text(user_id):
            raise UserNotFound(user_id)
        raised = changes.get("epoch") is NEXT
        fields = to_document({field: value for field, value in changes.items() if value is not NEXT})
        counted = ["version", "epoch"] if raised else ["version"]
        with self._call():
            try:
                document = await settle(
                    self._users.find_one_and_update(
                        unchanged(user_id, expected, raised=raised),
                        {"$set": fields, "$inc": dict.fromkeys(counted, 1)},
                        return_document=ReturnDocument.AFTER,
                        session=self._session,
                    )
                )
            except DuplicateKeyError as error:
                raise await self._taken(error, keys(fields), {"_id": {"$ne": user_id}}) from bare(error)
            if document is None:
                raise await self._unmatched(user_id, expected, raised=raised)
        return from_document(document)

    async def delete(self, user_id: UserId, /) -> bool:
        """Remove a user; see the port."""
        if not checks.is_text(user_id):
            return False
        with self._call():
            result = await settle(self._users.delete_one(owner("id", user_id), session=self._session))
        return result.deleted_count == 1

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        """Return a page in order of ids; see the port."""
        checks.check_query(query)
        checks.check_page(limit, after, offset)
        cursor = self._users.find(
            matching(query, after),
            sort=[("_id", ASCENDING)],
            skip=offset,
            limit=limit,
            batch_size=limit,
            session=self._session,
        )
        with self._call():
            found: list[Document] = await settle(cursor.to_list())
        return [from_document(document) for document in found if is_user(document)]

    async def count(self, query: UserQuery, /) -> int:
        """Return how many users the query finds."""
        checks.check_query(query)
        with self._call():
            return await settle(self._users.count_documents(matching(query), session=self._session))

    async def get_blackout(self) -> datetime | None:
        """Return the cut-off."""
        with self._call():
            found = await settle(self._settings.find_one(_BLACKOUT, session=self._session))
        return None if found is None else instant(found["cutoff"])

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        """Keep the later cut-off and return it. None removes it."""
        checks.check_blackout(cutoff)
        with self._call():
            if cutoff is None:
                await settle(self._settings.delete_one(_BLACKOUT, session=self._session))
                return None
            standing: Any = await settle(
                self._settings.find_one_and_update(
                    _BLACKOUT,
                    {"$max": {"cutoff": microseconds(cutoff)}},
                    upsert=True,
                    return_document=ReturnDocument.AFTER,
                    session=self._session,
                )
            )
        return instant(standing["cutoff"])

    async def _owner(self, field: str, *key: str) -> User | None:
        if not all(checks.is_text(part) for part in key):
            return None
        with self._call():
            found = await settle(self._users.find_one(owner(field, *key), session=self._session))
        return from_document(found) if found is not None and is_user(found) else None

    async def _unmatched(
        self, user_id: UserId, expected: UserFields | None, *, raised: bool
    ) -> UserNotFound | StaleUser | InvalidValue:
        """Find why nothing was updated: an unknown user, a changed user, or an epoch that cannot rise."""
        if expected or raised:
            there = await settle(self._newest.find_one(owner("id", user_id), ["epoch"], session=self._session))
            if there and raised and there["epoch"] >= limits.MAX_INTEGER:
                return checks.epoch_spent()
            if there and expected:
                return StaleUser(user_id)
        return UserNotFound(user_id)

    async def _taken(
        self, error: DuplicateKeyError, claimed: Iterable[Key], others: dict[str, Any]
    ) -> IdentifierTaken | StoreUnavailable:
        """Name every taken key: the one that the server refused, and any other that another user has by now.

        It reads outside of the session, whose transaction the error has aborted.
        """
        wanted = set(claimed)
        query = {"$or": [owner(*key) for key in wanted], **others}
        cursor = self._newest.find(query, ["email_key", "username_key", "identities"], batch_size=len(wanted) + 1)
        found: list[Document] = await settle(cursor.to_list())
        taken = refused(error) | {key[0] for document in found for key in keys(document) if key in wanted}
        if not taken:
            return StoreUnavailable("a unique index that is not the store's own refuses this user")
        return IdentifierTaken.of(taken)
