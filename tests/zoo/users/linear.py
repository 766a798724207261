"""Stores that are right for one caller and in races of one kind of call: only whole histories reveal the fault."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import attrs

from authx_core.domain import User, UserChanges, UserFields, UserId, checks
from zoo.machinery.housing import Stores
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Key, Table, Users

BUSY = frozenset({"request", "answer"})


class BusyUsers(Users):
    pauses = BUSY


@mutant("U-091", "a user and the linked accounts are read in two statements")
class ReadsInTwoStatements(BusyUsers):
    async def get(self, user_id: UserId, /) -> User | None:
        user = await super().get(user_id)
        await asyncio.sleep(0)
        linked = self.find(user_id)
        return user and attrs.evolve(user, identities=linked.identities if linked else ())


@mutant("U-091", "an address is looked up, then the user by id, who may have another address by then")
class LooksUpInTwoStatements(BusyUsers):
    async def get_by_email(self, email_key: str, /) -> User | None:
        user = await super().get_by_email(email_key)
        return user and await self.get(user.id)


@mutant("U-091", "a new key is claimed before the version is compared, and freed if that is stale")
class ClaimsBeforeItCompares(Users):
    pauses = frozenset({"request"})

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        self.check_update(changes, expected)
        user = self.find(user_id)
        claimed = set[Key]()
        if user is not None and not self.taken(changed := self.changed(user, changes), set()):
            claimed = {*self.keys(changed)} - {*self.keys(user)}
        self.table.owners |= dict.fromkeys(claimed, user_id)
        try:
            return await super().update(user_id, changes, expected=expected)
        except BaseException:
            for key in claimed:
                self.table.owners.pop(key, None)
            raise


@attrs.define
class Replicated(Table):
    copy: dict[UserId, User] = attrs.field(factory=dict[UserId, User])
    writers: int = 0

    def empty(self) -> None:
        super().empty()
        self.copy.clear()

    @contextmanager
    def writing(self) -> Generator[None, None, None]:
        """Catch up before a write, and not again while others write."""
        self.catch_up()
        self.writers += 1
        try:
            yield
        finally:
            self.writers -= 1

    def catch_up(self) -> None:
        if not self.writers:
            self.copy = dict(self.users)


@mutant("U-091", "reads come from a replica that does not catch up while somebody writes")
class ReadsFromReplica(Stores):
    class Adapter(BusyUsers):
        table: Replicated

        async def get(self, user_id: UserId, /) -> User | None:
            await self.reach()
            self.table.catch_up()
            return self.found(self.table.copy.get(user_id)) if checks.is_text(user_id) else None

        async def create(self, user: User, /) -> User:
            with self.table.writing():
                return await super().create(user)

        async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
            with self.table.writing():
                return await super().update(user_id, changes, expected=expected)

        async def delete(self, user_id: UserId, /) -> bool:
            with self.table.writing():
                return await super().delete(user_id)

    adapter = Adapter

    def __init__(self) -> None:
        self.table = Replicated()
