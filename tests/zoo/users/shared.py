"""Cut-offs that change, and changes that other handles miss."""

from __future__ import annotations

from datetime import datetime

from authx_core.domain import User, UserChanges, UserFields, UserId
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Table, Users


@mutant("U-060", "a cut-off keeps its zone instead of becoming UTC")
class CutoffKeepsZone(Users):
    def later(self, before: datetime | None, cutoff: datetime | None) -> datetime | None:
        return cutoff and max(cutoff, before or cutoff)


@mutant("U-061", "each handle caches the users that it has read")
class UsersCached(Users):
    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.read: dict[UserId, User] = {}

    async def get(self, user_id: UserId, /) -> User | None:
        user = self.read.get(user_id) if isinstance(user_id, str) else None
        if user is None and (user := await super().get(user_id)) is not None:
            self.read[user.id] = user
        return user and self.given(user)

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        self.read.clear()
        return await super().update(user_id, changes, expected=expected)

    async def delete(self, user_id: UserId, /) -> bool:
        self.read.clear()
        return await super().delete(user_id)


@mutant("U-061", "opening a store lifts the blackout")
class OpeningLifts(Users):
    def __init__(self, table: Table) -> None:
        super().__init__(table)
        table.blackout = None
