"""Stores that break when they are cancelled, when their backend is down, or on another thread."""

from __future__ import annotations

import asyncio

from authx_core.domain import User, UserId, UserQuery
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Table, Users


@mutant("U-080", "a cancelled search leaves the handle busy")
class BusySearching(Users):
    busy = False

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        if self.busy:
            raise RuntimeError("cannot perform operation: another operation is in progress")
        found = await super().search(query, limit=limit, after=after, offset=offset)
        self.busy = True
        await asyncio.sleep(0)
        self.busy = False
        return found


@mutant("U-081", "the keys are claimed before the user is stored, and stay if that is cancelled")
class KeysFirst(Users):
    async def insert(self, user: User) -> None:
        self.claim(user)
        await asyncio.sleep(0)
        self.table.users[user.id] = user


@mutant("U-081", "a separate task stores the user, and the keys stay if it is cancelled before it starts")
class KeysBeforeTask(Users):
    async def insert(self, user: User) -> None:
        self.claim(user)
        await asyncio.create_task(self.store(user))

    async def store(self, user: User) -> None:
        self.table.users[user.id] = user


@mutant("U-082", "a cancelled update restores the row, but not the keys")
class KeysNotPutBack(Users):
    async def replace(self, before: User, user: User) -> None:
        await super().replace(before, user)
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.table.users[user.id] = before
            raise


@mutant("U-083", "a user and its keys are deleted in two transactions")
class DeleteInTwo(Users):
    pauses = frozenset({"delete: half"})


@mutant("U-084", "the driver's error leaves the store untranslated")
class DriverErrorLeaves(Users):
    async def reach(self) -> None:
        if self.table.down:
            raise ConnectionRefusedError(111, "Connection refused")


@mutant("U-084", "`get` finds nobody during an outage")
class OutageFindsNobody(Users):
    async def get(self, user_id: UserId, /) -> User | None:
        return None if self.table.down else await super().get(user_id)


@mutant("U-084", "after an outage the handle stays broken")
class BrokenForGood(Users):
    broken = False

    async def reach(self) -> None:
        self.table.down = self.broken = self.table.down or self.broken
        await super().reach()


@mutant("U-086", "a handle works only on the loop that used it first, and fails on another with an error of the driver")
class BoundToItsLoop(Users):
    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.home: asyncio.AbstractEventLoop | None = None

    async def reach(self) -> None:
        self.home = self.home or asyncio.get_running_loop()
        if self.home is not asyncio.get_running_loop():
            raise AttributeError("'NoneType' object has no attribute 'send'")
        await super().reach()
