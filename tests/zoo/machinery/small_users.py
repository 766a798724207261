"""A correct user store in memory of small methods: a mutant overrides one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, ClassVar

import attrs

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

Key = tuple[str, ...]


@attrs.define
class Table:
    """The data that all handles share."""

    users: dict[UserId, User] = attrs.field(factory=dict[UserId, User])
    owners: dict[Key, UserId] = attrs.field(factory=dict[Key, UserId])
    blackout: datetime | None = None
    gone: dict[UserId, User] = attrs.field(factory=dict[UserId, User])
    """Deleted users, for mutants that keep them."""
    arguments: dict[UserId, Any] = attrs.field(factory=dict[UserId, Any])
    """Arguments, for mutants that keep the caller's objects."""
    down: bool = False

    def empty(self) -> None:
        self.users.clear()
        self.owners.clear()
        self.gone.clear()
        self.arguments.clear()
        self.blackout = None
        self.down = False


class Users(UserStore):
    """Each step is a method. At the places named in `pauses`, an operation lets other tasks run."""

    pauses: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, table: Table) -> None:
        self.table = table

    def __repr__(self) -> str:
        return "Users()"

    async def create(self, user: User, /) -> User:
        self.check_user(user)
        await self.reach()
        new = self.new(user)
        self.refuse(self.taken(new, {"id"} if new.id in self.table.users else set()), new)
        await self.pause("create: looked up")
        await self.insert(new)
        await self.pause("answer")
        return self.given(new)

    async def get(self, user_id: UserId, /) -> User | None:
        await self.reach()
        return self.found(self.find(user_id))

    async def get_by_email(self, email_key: str, /) -> User | None:
        await self.reach()
        return self.found(self.owner(("email", email_key)))

    async def get_by_username(self, username_key: str, /) -> User | None:
        await self.reach()
        return self.found(self.owner(("username", username_key)))

    async def get_by_social(self, provider: str, subject: str, /) -> User | None:
        await self.reach()
        return self.found(self.owner(("identities", provider, subject)))

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        self.check_update(changes, expected)
        await self.reach()
        user = self.find(user_id)
        if user is None:
            return self.missing(user_id, changes)
        if not self.fits(user, expected or {}):
            raise StaleUser(user_id)
        await self.pause("update: compared")
        changed = self.changed(user, changes)
        self.refuse(self.taken(changed, set()), changed)
        await self.pause("update: looked up")
        await self.replace(user, changed)
        await self.pause("answer")
        return self.given(changed)

    async def delete(self, user_id: UserId, /) -> bool:
        await self.reach()
        user = self.find(user_id)
        if user is None:
            return False
        await self.pause("delete: looked up")
        await self.remove(user)
        await self.pause("answer")
        return True

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        self.check_search(query, limit, after, offset)
        await self.reach()
        matches = [user for user in self.ordered() if self.beyond(user, after) and self.matches(user, query)]
        return [self.given(user) for user in matches[offset : offset + limit]]

    async def count(self, query: UserQuery, /) -> int:
        checks.check_query(query)
        await self.reach()
        return sum(self.matches(user, query) for user in self.table.users.values())

    async def get_blackout(self) -> datetime | None:
        await self.reach()
        return self.table.blackout

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        checks.check_blackout(cutoff)
        await self.reach()
        before = self.table.blackout
        await self.pause("blackout: read")
        standing = self.table.blackout = self.later(before, cutoff)
        await self.pause("answer")
        return standing

    # Steps

    async def reach(self) -> None:
        """Reach the backend."""
        await self.pause("request")
        if self.table.down:
            raise StoreUnavailable("the table is down")

    async def pause(self, where: str) -> None:
        if where in self.pauses:
            await asyncio.sleep(0)

    async def insert(self, user: User) -> None:
        self.table.users[user.id] = user
        await self.pause("create: half")
        self.claim(user)

    async def replace(self, before: User, user: User) -> None:
        self.table.users[user.id] = user
        self.free(before)
        await self.pause("update: half")
        self.claim(user)

    async def remove(self, user: User) -> None:
        self.table.users.pop(user.id, None)
        await self.pause("delete: half")
        self.free(user)

    def check_user(self, user: User) -> None:
        checks.check_user(user)

    def check_update(self, changes: UserChanges, expected: UserFields | None) -> None:
        checks.check_update(changes, expected)

    def check_search(self, query: UserQuery, limit: int, after: UserId | None, offset: int) -> None:
        checks.check_query(query)
        checks.check_page(limit, after, offset)

    def new(self, user: User) -> User:
        return self.kept(attrs.evolve(user, version=1))

    def changed(self, user: User, changes: UserChanges) -> User:
        return self.kept(changed(user, changes))

    def missing(self, user_id: UserId, changes: UserChanges) -> User:
        raise UserNotFound(user_id)

    def kept(self, user: User) -> User:
        """Return a user as it is stored."""
        return attrs.evolve(
            user,
            created_at=user.created_at.astimezone(timezone.utc),
            last_login=user.last_login and user.last_login.astimezone(timezone.utc),
        )

    def given(self, user: User) -> User:
        """Return a stored user as a caller gets it."""
        return user

    def found(self, user: User | None) -> User | None:
        return None if user is None else self.given(user)

    def find(self, user_id: UserId) -> User | None:
        return self.table.users.get(user_id) if checks.is_text(user_id) else None

    def owner(self, key: Key) -> User | None:
        if not all(checks.is_text(part) for part in key):
            return None
        owner = self.table.owners.get(self.index(key))
        return None if owner is None else self.table.users.get(owner)

    def index(self, key: Key) -> Key:
        """Return the form in which a key is stored."""
        return key

    def keys(self, user: User) -> list[Key]:
        named = (("email", user.email_key), ("username", user.username_key))
        keys: list[Key] = [(kind, key) for kind, key in named if key is not None]
        return keys + [("identities", each.provider, each.subject) for each in user.identities]

    def taken(self, user: User, taken: set[str]) -> set[str]:
        """Return the fields whose keys belong to another user."""
        owners = {key: self.table.owners.get(self.index(key)) for key in self.keys(user)}
        free = {None} if "id" in taken else {None, user.id}
        return taken | {key[0] for key, owner in owners.items() if owner not in free}

    def refuse(self, taken: set[str], user: User) -> None:
        if taken:
            raise IdentifierTaken.of(taken)

    def claim(self, user: User) -> None:
        for key in self.keys(user):
            self.table.owners[self.index(key)] = user.id

    def free(self, user: User) -> None:
        for key in self.keys(user):
            self.table.owners.pop(self.index(key), None)

    def fits(self, user: User, expected: Mapping[str, Any]) -> bool:
        return all(self.equal(field, getattr(user, field), value) for field, value in expected.items())

    def equal(self, field: str, stored: Any, expected: Any) -> bool:
        return bool(stored == expected)

    def ordered(self) -> Iterable[User]:
        return sorted(self.table.users.values(), key=lambda user: user.id)

    def beyond(self, user: User, after: UserId | None) -> bool:
        return after is None or user.id > after

    def matches(self, user: User, query: UserQuery) -> bool:
        return (
            query.id in {None, user.id}
            and self.contains(query.username_contains, user.username_key)
            and self.starts(query.username_prefix, user.username_key)
            and self.contains(query.email_contains, user.email_key)
            and self.starts(query.email_prefix, user.email_key)
            and query.active in {None, user.active}
            and self.may(query.permission, user)
        )

    def contains(self, part: str | None, key: str | None) -> bool:
        return part is None or (key is not None and part in key)

    def starts(self, part: str | None, key: str | None) -> bool:
        return part is None or (key is not None and key.startswith(part))

    def may(self, permission: str | None, user: User) -> bool:
        return permission is None or permission in user.permissions

    def later(self, before: datetime | None, cutoff: datetime | None) -> datetime | None:
        if cutoff is None:
            return None
        cutoff = cutoff.astimezone(timezone.utc)
        return max(cutoff, before or cutoff)
