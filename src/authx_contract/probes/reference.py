"""The simplest implementation of the ports, for one caller: the reference of the model clauses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import attrs

from authx_core.domain import (
    IdentifierTaken,
    InvalidValue,
    StaleUser,
    User,
    UserChanges,
    UserFields,
    UserId,
    UserNotFound,
    UserQuery,
    changed,
)  # fmt: skip

T = TypeVar("T")


class ReferenceUsers:
    """A user store that scans all its users on each call."""

    def __init__(self) -> None:
        self._users: dict[UserId, User] = {}
        self._blackout: datetime | None = None

    def create(self, user: User) -> User:
        """Store a user."""
        user = attrs.evolve(user, version=1)
        self._refuse_taken(user, {"id"} if user.id in self._users else set())
        self._users[user.id] = user
        return user

    def get(self, user_id: UserId) -> User | None:
        """Find by id."""
        return self._users.get(user_id)

    def get_by_email(self, key: str) -> User | None:
        """Find by address."""
        return _one([user for user in self._users.values() if user.email_key == key])

    def get_by_username(self, key: str) -> User | None:
        """Find by name."""
        return _one([user for user in self._users.values() if user.username_key == key])

    def get_by_social(self, provider: str, subject: str) -> User | None:
        """Find by a social identity."""
        wanted = (provider, subject)
        return _one(
            [u for u in self._users.values() if wanted in {(each.provider, each.subject) for each in u.identities}]
        )

    def update(self, user_id: UserId, changes: UserChanges, *, expected: UserFields | None = None) -> User:
        """Compare and set."""
        user = self._users.get(user_id)
        if user is None:
            raise UserNotFound(user_id)
        if any(getattr(user, name) != value for name, value in (expected or {}).items()):
            raise StaleUser(user_id)
        after = changed(user, changes)
        self._refuse_taken(after, set())
        self._users[user_id] = after
        return after

    def delete(self, user_id: UserId) -> bool:
        """Remove a user."""
        return self._users.pop(user_id, None) is not None

    def search(self, query: UserQuery, *, limit: int, after: UserId | None = None, offset: int = 0) -> list[User]:
        """Return a page in the order of ids."""
        found = [self._users[key] for key in sorted(self._users) if (after is None or key > after)]
        return [user for user in found if _matches(user, query)][offset : offset + limit]

    def count(self, query: UserQuery) -> int:
        """Return how many match."""
        return sum(_matches(user, query) for user in self._users.values())

    def get_blackout(self) -> datetime | None:
        """Return the cut-off."""
        return self._blackout

    def set_blackout(self, cutoff: datetime | None) -> datetime | None:
        """Keep the later and return it."""
        self._blackout = cutoff if None in {cutoff, self._blackout} else max(filter(None, (cutoff, self._blackout)))
        return self._blackout

    def _refuse_taken(self, user: User, taken: set[str]) -> None:
        others = [each for each in self._users.values() if each.id != user.id or "id" in taken]
        for field, key in (("email", "email_key"), ("username", "username_key")):
            if getattr(user, key) is not None and getattr(user, key) in {getattr(each, key) for each in others}:
                taken.add(field)
        if any(set(user.identities) & set(each.identities) for each in others):
            taken.add("identities")
        if taken:
            raise IdentifierTaken.of(taken)


class ReferenceCache:
    """A cache whose time passes by `elapse`."""

    def __init__(self) -> None:
        self._now = timedelta(0)
        self._entries: dict[str, tuple[str, timedelta]] = {}

    def elapse(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by
        self._entries = {key: entry for key, entry in self._entries.items() if entry[1] > self._now}

    def get(self, key: str) -> str | None:
        """Read one."""
        return self._entries[key][0] if key in self._entries else None

    def get_many(self, keys: Sequence[str]) -> list[str | None]:
        """Read several."""
        return [self.get(key) for key in keys]

    def set(self, key: str, value: str, *, ttl: timedelta) -> None:
        """Replace value and lifetime."""
        self._entries[key] = (value, self._now + ttl)

    def add(self, key: str, value: str, *, ttl: timedelta) -> bool:
        """Keep if absent."""
        if key in self._entries:
            return False
        self.set(key, value, ttl=ttl)
        return True

    def pop(self, key: str) -> str | None:
        """Read once."""
        return self._entries.pop(key, (None,))[0]

    def delete(self, key: str) -> bool:
        """Remove."""
        return self._entries.pop(key, None) is not None

    def increment(self, key: str, *, by: int = 1, ttl: timedelta) -> int:
        """Count."""
        value, deadline = self._entries.get(key, ("0", self._now + ttl))
        if not value.removeprefix("-").isdigit():
            raise InvalidValue
        self._entries[key] = (str(int(value) + by), deadline)
        return int(value) + by

    def increment_many(self, keys: Sequence[str], *, by: int = 1, ttl: timedelta) -> list[int]:
        """Count several."""
        return [self.increment(key, by=by, ttl=ttl) for key in keys]


def _one(found: Sequence[T]) -> T | None:
    return found[0] if found else None


def _matches(user: User, query: UserQuery) -> bool:
    return (
        query.id in {None, user.id}
        and (query.username_contains is None or query.username_contains in (user.username_key or ()))
        and (query.username_prefix is None or (user.username_key or "\0").startswith(query.username_prefix))
        and (query.email_contains is None or query.email_contains in (user.email_key or ()))
        and (query.email_prefix is None or (user.email_key or "\0").startswith(query.email_prefix))
        and query.active in {None, user.active}
        and (query.permission is None or query.permission in user.permissions)
    )
