"""A correct user store in memory: dictionaries behind one `asyncio.Lock`, with a pause while it is held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone

import attrs

from authx_contract import Capabilities, Harness, SteppedClock
from authx_core.domain import (
    IdentifierTaken,
    StaleUser,
    StoreUnavailable,
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
from zoo.machinery.records import Key, dump, finds, fits, keys, load
from zoo.machinery.registry import correct


@attrs.define
class Shelf:
    """The data that all handles share, and the lock that admits one at a time."""

    lock: asyncio.Lock = attrs.field(factory=asyncio.Lock)
    documents: dict[UserId, str] = attrs.field(factory=dict[UserId, str])
    owners: dict[Key, UserId] = attrs.field(factory=dict[Key, UserId])
    cutoff: datetime | None = None

    def put(self, user: User) -> None:
        self.remove(user.id)
        self.documents[user.id] = dump(user)
        self.owners |= dict.fromkeys(keys(user), user.id)

    def remove(self, user_id: UserId) -> bool:
        document = self.documents.pop(user_id, None)
        for key in keys(load(document)) if document else ():
            del self.owners[key]
        return document is not None

    def taken(self, user: User, owners: set[UserId | None]) -> set[str]:
        """Return the kinds of the user's keys that have other owners than these."""
        return {key[0] for key in keys(user) if self.owners.get(key) not in owners}


class LockedUsers(UserStore):
    """Each operation holds the lock from start to end."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf, self._loop = shelf, asyncio.get_running_loop()

    async def create(self, user: User, /) -> User:
        checks.check_user(user)
        async with self._locked() as shelf:
            taken = shelf.taken(user, owners={None}) | ({"id"} if user.id in shelf.documents else set())
            if taken:
                raise IdentifierTaken.of(taken)
            shelf.put(attrs.evolve(user, version=1))
            return load(shelf.documents[user.id])

    async def get(self, user_id: UserId, /) -> User | None:
        async with self._locked() as shelf:
            return load(shelf.documents[user_id]) if user_id in shelf.documents else None

    async def get_by_email(self, email_key: str, /) -> User | None:
        return await self._owner(("email", "", email_key))

    async def get_by_username(self, username_key: str, /) -> User | None:
        return await self._owner(("username", "", username_key))

    async def get_by_social(self, provider: str, subject: str, /) -> User | None:
        return await self._owner(("identities", provider, subject))

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        checks.check_update(changes, expected)
        async with self._locked() as shelf:
            if user_id not in shelf.documents:
                raise UserNotFound(user_id)
            user = load(shelf.documents[user_id])
            if not fits(user, expected):
                raise StaleUser(user_id)
            after = changed(user, changes)
            if taken := shelf.taken(after, owners={None, user_id}):
                raise IdentifierTaken.of(taken)
            shelf.put(after)
            return load(shelf.documents[user_id])

    async def delete(self, user_id: UserId, /) -> bool:
        async with self._locked() as shelf:
            return shelf.remove(user_id)

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        checks.check_query(query)
        checks.check_page(limit, after, offset)
        found = [user for user in await self._users() if finds(query, user) and (after is None or user.id > after)]
        return found[offset : offset + limit]

    async def count(self, query: UserQuery, /) -> int:
        checks.check_query(query)
        return sum(finds(query, user) for user in await self._users())

    async def get_blackout(self) -> datetime | None:
        async with self._locked() as shelf:
            return shelf.cutoff

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        checks.check_blackout(cutoff)
        utc = cutoff and cutoff.astimezone(timezone.utc)
        async with self._locked() as shelf:
            shelf.cutoff = utc and max(utc, shelf.cutoff or utc)
            return shelf.cutoff

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[Shelf]:
        if asyncio.get_running_loop() is not self._loop:
            raise StoreUnavailable("the lock belongs to another event loop")
        async with self._shelf.lock:
            await asyncio.sleep(0)  # others arrive, and have to wait
            yield self._shelf

    async def _owner(self, key: Key) -> User | None:
        async with self._locked() as shelf:
            return load(shelf.documents[shelf.owners[key]]) if key in shelf.owners else None

    async def _users(self) -> list[User]:
        async with self._locked() as shelf:
            return [load(shelf.documents[each]) for each in sorted(shelf.documents)]


@correct("users in a dictionary behind one asyncio.Lock")
class BehindOneLock(Harness):
    capabilities = Capabilities(backend="memory")

    def __init__(self) -> None:
        self.shelf = Shelf()

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        return LockedUsers(self.shelf)

    async def reset(self) -> None:
        self.shelf = Shelf()

    async def close(self) -> None:
        self.shelf = Shelf()
