"""Deletions that leave something, or say the wrong thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import attrs

from authx_core.domain import User, UserId, UserNotFound, UserQuery
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Table, Users


@mutant("U-040", "a deleted user's keys stay claimed by nobody")
class KeysOutliveUser(Users):
    async def remove(self, user: User) -> None:
        del self.table.users[user.id]

    def taken(self, user: User, taken: set[str]) -> set[str]:
        owners = {key[0]: self.table.owners.get(self.index(key)) for key in self.keys(user)}
        return taken | {field for field, owner in owners.items() if owner not in {None, user.id}}


@mutant("U-040", "an identity outlives its user")
class IdentityOutlivesUser(Users):
    def free(self, user: User) -> None:
        there = user.id in self.table.users
        super().free(user if there else attrs.evolve(user, identities=()))


@mutant("U-040", "who is deleted is only marked, and found by id")
class SoftDelete(Users):
    async def remove(self, user: User) -> None:
        self.free(user)
        del self.table.users[user.id]
        self.table.gone[user.id] = user

    async def get(self, user_id: UserId, /) -> User | None:
        return await super().get(user_id) or (self.table.gone.get(user_id) if isinstance(user_id, str) else None)


@mutant("U-040", "a second delete is True as well")
class AlwaysTrue(Users):
    async def delete(self, user_id: UserId, /) -> bool:
        return await super().delete(user_id) or len(str(user_id)) == 36


@mutant("U-040", "a delete answers None")
class AnswersNothing(Users):
    async def delete(self, user_id: UserId, /) -> bool:
        await super().delete(user_id)
        return None  # type: ignore[return-value]  # the wrong thing


@mutant("U-040", "deleting nobody is an error")
class DeleteRaises(Users):
    async def delete(self, user_id: UserId, /) -> bool:
        if not await super().delete(user_id):
            raise UserNotFound(user_id)
        return True


@mutant("U-040", "the count is kept apart, and a delete does not lower it")
class CountKeptApart(Users):
    async def remove(self, user: User) -> None:
        await super().remove(user)
        self.table.gone[user.id] = user

    async def count(self, query: UserQuery, /) -> int:
        ghosts = sum(1 for user in self.table.gone.values() if user.username_key == "ann")
        return await super().count(query) + (ghosts if query == UserQuery() else 0)


@mutant("U-090", "deleting the last user lifts the blackout")
class LastUserLiftsBlackout(Users):
    async def remove(self, user: User) -> None:
        await super().remove(user)
        if not self.table.users:
            self.table.blackout = None


@mutant("U-090", "a delete frees all keys that its user ever had, whoever has them now")
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
    """Keeps who was deleted."""

    async def remove(self, user: User) -> None:
        await super().remove(user)
        self.table.gone[user.id] = user


@mutant("U-090", "who is created anew under a deleted id has the old `extra` besides")
class ExtraOutlivesUser(Remembering):
    def new(self, user: User) -> User:
        before = self.table.gone.get(user.id, user)
        return super().new(attrs.evolve(user, extra={**before.extra, **user.extra}))


@mutant("U-090", "what is expected of who was created anew may be what the deleted one was")
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
