"""Users in memory."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from itertools import islice
from threading import RLock
from typing import Final

import attrs

from authx_adapters.common.forks import forkable
from authx_core.domain import checks
from authx_core.domain.changes import changed
from authx_core.domain.errors import IdentifierTaken, StaleUser, UserNotFound
from authx_core.domain.user import User, UserChanges, UserFields, UserId, UserQuery
from authx_core.ports import UserStore

_Key = tuple[str, ...]


class MemoryUserStore(UserStore):
    """Users in this process's memory, with one lock, an index for each key, and the ids in order.

    `User` is immutable, so the store returns the objects that it keeps.
    """

    def __init__(self) -> None:
        self._lock: Final = forkable(RLock())
        self._users: dict[UserId, User] = {}
        self._ids: list[UserId] = []
        self._owners: dict[_Key, UserId] = {}
        self._blackout: datetime | None = None

    async def create(self, user: User, /) -> User:
        """Store a user; see the port."""
        checks.check_user(user)
        stored = attrs.evolve(_in_utc(user), version=1)
        with self._lock:
            self._refuse_taken(stored, {"id"} if stored.id in self._users else set())
            self._put(stored)
            insort(self._ids, stored.id)
        return stored

    async def get(self, user_id: UserId, /) -> User | None:
        """Return the user with this id."""
        with self._lock:
            return self._users.get(user_id) if checks.is_text(user_id) else None

    async def get_by_email(self, email_key: str, /) -> User | None:
        """Return the user with this canonical address."""
        return self._owner("email", email_key)

    async def get_by_username(self, username_key: str, /) -> User | None:
        """Return the user with this canonical username."""
        return self._owner("username", username_key)

    async def get_by_social(self, provider: str, subject: str, /) -> User | None:
        """Return the user who linked this account."""
        return self._owner("identities", provider, subject)

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        """Compare and set; see the port."""
        checks.check_update(changes, expected)
        with self._lock:
            user = self._users.get(user_id) if checks.is_text(user_id) else None
            if user is None:
                raise UserNotFound(user_id)
            if any(getattr(user, field) != value for field, value in (expected or {}).items()):
                raise StaleUser(user_id)
            after = _in_utc(changed(user, changes))
            self._refuse_taken(after, set())
            self._drop(user)
            self._put(after)
            return after

    async def delete(self, user_id: UserId, /) -> bool:
        """Remove a user; see the port."""
        with self._lock:
            user = self._users.get(user_id) if checks.is_text(user_id) else None
            if user is None:
                return False
            self._drop(user)
            del self._ids[bisect_right(self._ids, user.id) - 1]
            return True

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        """Return a page in order of ids; see the port."""
        checks.check_query(query)
        checks.check_page(limit, after, offset)
        with self._lock:
            start = 0 if after is None else bisect_right(self._ids, after)
            found = (user for user in self._from(start) if _matches(user, query))
            return list(islice(found, offset, offset + limit))

    async def count(self, query: UserQuery, /) -> int:
        """Return how many users the query finds."""
        checks.check_query(query)
        with self._lock:
            return sum(_matches(user, query) for user in self._users.values())

    async def get_blackout(self) -> datetime | None:
        """Return the cut-off."""
        return self._blackout

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        """Keep the later cut-off and return it. None removes it."""
        checks.check_blackout(cutoff)
        with self._lock:
            if cutoff is not None:
                cutoff = cutoff.astimezone(timezone.utc)
                cutoff = max(cutoff, self._blackout or cutoff)
            self._blackout = cutoff
            return cutoff

    def _from(self, start: int) -> Iterator[User]:
        return (self._users[self._ids[position]] for position in range(start, len(self._ids)))

    def _owner(self, *key: str) -> User | None:
        with self._lock:
            owner = self._owners.get(key) if all(checks.is_text(part) for part in key) else None
            return None if owner is None else self._users.get(owner)

    def _refuse_taken(self, user: User, taken: set[str]) -> None:
        taken |= {key[0] for key in _keys(user) if self._owners.get(key, user.id) != user.id}
        if "id" in taken:  # a new user with a taken id may not have the keys of the first one either
            taken |= {key[0] for key in _keys(user) if key in self._owners}
        if taken:
            raise IdentifierTaken.of(taken)

    def _put(self, user: User) -> None:
        self._users[user.id] = user
        self._owners |= dict.fromkeys(_keys(user), user.id)

    def _drop(self, user: User) -> None:
        del self._users[user.id]
        for key in _keys(user):
            del self._owners[key]


def _keys(user: User) -> Iterable[_Key]:
    if user.email_key is not None:
        yield "email", user.email_key
    if user.username_key is not None:
        yield "username", user.username_key
    for identity in user.identities:
        yield "identities", identity.provider, identity.subject


def _matches(user: User, query: UserQuery) -> bool:
    email, username = user.email_key, user.username_key
    return (
        (query.id is None or user.id == query.id)
        and (query.username_contains is None or (username is not None and query.username_contains in username))
        and (query.username_prefix is None or (username is not None and username.startswith(query.username_prefix)))
        and (query.email_contains is None or (email is not None and query.email_contains in email))
        and (query.email_prefix is None or (email is not None and email.startswith(query.email_prefix)))
        and (query.active is None or user.active == query.active)
        and (query.permission is None or query.permission in user.permissions)
    )


def _in_utc(user: User) -> User:
    return attrs.evolve(
        user,
        created_at=user.created_at.astimezone(timezone.utc),
        last_login=user.last_login and user.last_login.astimezone(timezone.utc),
    )
