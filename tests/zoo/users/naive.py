"""A store the way most projects write it: every step is right, and no operation is atomic."""

from __future__ import annotations

from datetime import datetime

import attrs

from authx_core.domain import (
    EmailTaken,
    StaleUser,
    User,
    UserChanges,
    UserFields,
    UserId,
    UserNotFound,
    UserQuery,
    changed,
)
from authx_core.ports import UserStore
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Table
from zoo.machinery.statements import statement


@mutant("U-021", "the usual store: look up, then insert; read, change, save")
class NaiveStore(UserStore):
    def __init__(self, table: Table) -> None:
        self.table = table

    async def _first(self, **fields: object) -> User | None:
        await statement()
        users = self.table.users.values()
        return next((user for user in users if all(getattr(user, name) == each for name, each in fields.items())), None)

    async def create(self, user: User, /) -> User:
        if await self.get_by_email(user.email_key or "") or await self.get_by_username(user.username_key or ""):
            raise EmailTaken({"email"})
        await statement()
        self.table.users[user.id] = attrs.evolve(user, version=1)
        return self.table.users[user.id]

    async def get(self, user_id: UserId, /) -> User | None:
        return await self._first(id=user_id)

    async def get_by_email(self, email_key: str, /) -> User | None:
        return await self._first(email_key=email_key.lower())

    async def get_by_username(self, username_key: str, /) -> User | None:
        return await self._first(username_key=username_key.strip())

    async def get_by_social(self, provider: str, subject: str, /) -> User | None:
        await statement()
        linked = (provider, subject)
        users = self.table.users.values()
        return next((user for user in users if linked in [attrs.astuple(each) for each in user.identities]), None)

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        user = await self.get(user_id)
        if user is None:
            raise UserNotFound(user_id)
        if expected and expected.get("version", user.version) != user.version:
            raise StaleUser(user_id)
        await statement()
        self.table.users[user_id] = changed(user, changes)
        return self.table.users[user_id]

    async def delete(self, user_id: UserId, /) -> bool:
        user = await self.get(user_id)
        await statement()
        self.table.users.pop(user_id, None)
        return user is not None

    async def _all(self, query: UserQuery) -> list[User]:
        await statement()
        found = [
            user
            for user in self.table.users.values()
            if (query.username_contains or "").lower() in (user.username_key or "")
            and (query.email_contains or "").lower() in (user.email_key or "")
            and (not query.active or user.active)
        ]
        return sorted(found, key=lambda user: user.created_at)

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        found = await self._all(query)
        start = next((number for number, user in enumerate(found, 1) if user.id == after), 0)
        return found[start + offset :][:limit]

    async def count(self, query: UserQuery, /) -> int:
        return len(await self._all(query))

    async def get_blackout(self) -> datetime | None:
        await statement()
        return self.table.blackout

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        await statement()
        self.table.blackout = cutoff
        return cutoff
