"""A correct user store in memory by event sourcing: an append-only log, from which each handle derives the users."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from threading import get_ident
from typing import TypeAlias

import attrs

from authx_contract import Capabilities, Harness, SteppedClock
from authx_core.domain import (
    IdentifierTaken,
    InvalidValue,
    Problem,
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
from zoo.machinery.records import Key, dump, finds, fits, keys, load
from zoo.machinery.registry import correct


@attrs.frozen
class Kept:
    """A user was created or changed."""

    document: str


@attrs.frozen
class Removed:
    """A user was deleted."""

    user_id: UserId


@attrs.frozen
class CutOff:
    """The blackout was set, or lifted."""

    cutoff: datetime | None


Happened: TypeAlias = Kept | Removed | CutOff


class LogUsers(UserStore):
    """Each handle follows the shared log, and appends only if it has read all of it; it refuses other threads."""

    def __init__(self, log: list[Happened]) -> None:
        self._log, self._seen = log, 0
        self._thread = get_ident()
        self._documents: dict[UserId, str] = {}
        self._owners: dict[Key, UserId] = {}
        self._cutoff: datetime | None = None

    async def create(self, user: User, /) -> User:
        checks.check_user(user)
        document = dump(attrs.evolve(user, version=1))
        new = load(document)
        while True:
            self._catch_up()
            taken = self._taken(new, owners={None}) | ({"id"} if new.id in self._documents else set())
            if taken:
                raise IdentifierTaken.of(taken)
            if await self._append(Kept(document)):
                return new

    async def get(self, user_id: UserId, /) -> User | None:
        self._catch_up()
        return self._user(user_id)

    async def get_by_email(self, email_key: str, /) -> User | None:
        return self._owner(("email", "", email_key))

    async def get_by_username(self, username_key: str, /) -> User | None:
        return self._owner(("username", "", username_key))

    async def get_by_social(self, provider: str, subject: str, /) -> User | None:
        return self._owner(("identities", provider, subject))

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        checks.check_update(changes, expected)
        while True:
            self._catch_up()
            user = self._user(user_id)
            if user is None:
                raise UserNotFound(user_id)
            if not fits(user, expected):
                raise StaleUser(user_id)
            document = dump(changed(user, changes))
            after = load(document)
            if taken := self._taken(after, owners={None, user_id}):
                raise IdentifierTaken.of(taken)
            if await self._append(Kept(document)):
                return after

    async def delete(self, user_id: UserId, /) -> bool:
        while True:
            self._catch_up()
            if self._user(user_id) is None:
                return False
            if await self._append(Removed(user_id)):
                return True

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        checks.check_query(query)
        checks.check_page(limit, after, offset)
        found = [user for user in self._found(query) if after is None or user.id > after]
        return found[offset : offset + limit]

    async def count(self, query: UserQuery, /) -> int:
        checks.check_query(query)
        return len(self._found(query))

    async def get_blackout(self) -> datetime | None:
        self._catch_up()
        return self._cutoff

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        checks.check_blackout(cutoff)
        utc = cutoff and cutoff.astimezone(timezone.utc)
        while True:
            self._catch_up()
            later = utc and max(utc, self._cutoff or utc)
            if await self._append(CutOff(later)):
                return later

    async def _append(self, happened: Happened) -> bool:
        """Append; False if the log has grown since this handle read it, so that the caller must start over."""
        await asyncio.sleep(0)
        if self._seen < len(self._log):
            return False
        self._log.append(happened)
        return True

    def _catch_up(self) -> None:
        if get_ident() != self._thread:
            raise InvalidValue(Problem("", "foreign_loop", "a handle belongs to the thread that opened it"))
        for happened in self._log[self._seen :]:
            match happened:
                case Kept(document):
                    user = load(document)
                    self._forget(user.id)
                    self._documents[user.id] = document
                    self._owners |= dict.fromkeys(keys(user), user.id)
                case Removed(user_id):
                    self._forget(user_id)
                case CutOff(cutoff):
                    self._cutoff = cutoff
            self._seen += 1

    def _forget(self, user_id: UserId) -> None:
        if document := self._documents.pop(user_id, None):
            for key in keys(load(document)):
                del self._owners[key]

    def _user(self, user_id: UserId) -> User | None:
        document = self._documents.get(user_id)
        return None if document is None else load(document)

    def _owner(self, key: Key) -> User | None:
        self._catch_up()
        owner = self._owners.get(key)
        return None if owner is None else self._user(owner)

    def _taken(self, user: User, owners: set[UserId | None]) -> set[str]:
        return {key[0] for key in keys(user) if self._owners.get(key) not in owners}

    def _found(self, query: UserQuery) -> list[User]:
        self._catch_up()
        return [user for user in map(load, (self._documents[each] for each in sorted(self._documents)))
                if finds(query, user)]  # fmt: skip


@correct("users as a log that is only appended to, followed by each handle")
class AppendOnlyLog(Harness):
    capabilities = Capabilities(backend="memory")

    def __init__(self) -> None:
        self.log: list[Happened] = []

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        return LogUsers(self.log)

    async def reset(self) -> None:
        self.log.clear()

    async def close(self) -> None:
        self.log.clear()
