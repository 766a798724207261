"""Deletes that leave data behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import attrs

from authx_core.domain import User, UserId, UserQuery
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Table, Users


@mutant("U-090", "deleting the last user lifts the blackout")
class LastUserLiftsBlackout(Users):
    async def remove(self, user: User) -> None:
        await super().remove(user)
        if not self.table.users:
            self.table.blackout = None


@mutant("U-090", "a delete frees every key that its user ever had, even if another user has it now")
class FormerKeysFreed(Users):
    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.former = defaultdict[UserId, list[User]](list)

    async def replace(self, before: User, user: User) -> None:
        await super().replace(before, user)
        self.former[user.id].append(before)

    async def remove(self, user: User) -> None:
        await super().remove(user)
        for before in self.former.pop(user.id, []):
            self.free(before)


class Remembering(Users):
    """Keeps deleted users."""

    async def remove(self, user: User) -> None:
        await super().remove(user)
        self.table.gone[user.id] = user


@mutant("U-090", "a user who is created under a deleted id also gets the deleted user's `extra`")
class ExtraOutlivesUser(Remembering):
    def new(self, user: User) -> User:
        before = self.table.gone.get(user.id, user)
        return super().new(attrs.evolve(user, extra={**before.extra, **user.extra}))


@mutant("U-090", "expected fields of a user who is created under a deleted id may match the deleted user")
class DeletedOneFits(Remembering):
    def fits(self, user: User, expected: Mapping[str, Any]) -> bool:
        return super().fits(user, expected) or super().fits(self.table.gone.get(user.id, user), expected)


@mutant("U-090", "the first user lifts the blackout")
class FirstUserLiftsBlackout(Users):
    async def insert(self, user: User) -> None:
        if not self.table.users:
            self.table.blackout = None
        await super().insert(user)


@mutant("U-040", "a deleted user's permissions are still counted")
class PermissionsOutliveUser(Users):
    async def remove(self, user: User) -> None:
        await super().remove(user)
        self.table.gone[user.id] = user

    async def count(self, query: UserQuery, /) -> int:
        ghosts = sum(1 for user in self.table.gone.values() if query.permission in user.permissions)
        return await super().count(query) + ghosts
