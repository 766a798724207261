"""Right for one caller, and in every race of one kind of call: only whole histories show what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

import attrs

from authx_core.domain import User, UserChanges, UserFields, UserId, checks
from contract.mutants.caches import Entries, Entry, Keys
from contract.mutants.housing import Caches, Stores
from contract.mutants.registry import mutant
from contract.mutants.users import Key, Table, Users

BUSY = frozenset({"request", "answer"})


class BusyUsers(Users):
    pauses = BUSY


class BusyKeys(Keys):
    pauses = BUSY


@mutant("U-091", "a user and the linked accounts are read one after the other")
class ReadsInTwoStatements(BusyUsers):
    async def get(self, user_id: UserId, /) -> User | None:
        user = await super().get(user_id)
        await asyncio.sleep(0)
        linked = self.find(user_id)
        return user and attrs.evolve(user, identities=linked.identities if linked else ())


@mutant("U-091", "an address leads to an id, and the id later to a user who may have another address by then")
class LooksUpInTwoStatements(BusyUsers):
    async def get_by_email(self, email_key: str, /) -> User | None:
        user = await super().get_by_email(email_key)
        return user and await self.get(user.id)


@mutant("U-091", "an update is answered with what is there by then, and not with what it wrote")
class AnswersWithWhatIsThere(BusyUsers):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        written = await super().update(user_id, changes, expected=expected)
        return await self.get(user_id) or written


@mutant("U-091", "a new key is claimed before the version is compared, and given back if that was stale")
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
        """Catch up before a write, and not again until nobody writes."""
        self.catch_up()
        self.writers += 1
        try:
            yield
        finally:
            self.writers -= 1

    def catch_up(self) -> None:
        if not self.writers:
            self.copy = dict(self.users)


@mutant("U-091", "reads come from a replica that catches up as soon as nobody writes")
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


@mutant("C-091", "of two deletes at once both say that a live key went")
class DeletesTwice(BusyKeys):
    async def delete(self, key: str, /) -> bool:
        self.check([key])
        await self.reach()
        there = self.live(key) is not None
        await self.pause("answer")
        if there:
            self.drop(key)
        return there


@attrs.define
class Counted(Entries):
    lock: asyncio.Lock = attrs.field(factory=asyncio.Lock)


@mutant("C-091", "increments wait for one another, but for no `set` or `pop`")
class CountsBesideOthers(Caches):
    class Adapter(Keys):
        pauses = BUSY | {"count: read"}
        entries: Counted

        async def count(self, key: str, by: int, ttl: timedelta) -> int:
            async with self.entries.lock:
                return await super().count(key, by, ttl)

    adapter = Adapter

    def __init__(self) -> None:
        self.entries = Counted()


@attrs.define
class Copied(Entries):
    copy: dict[str, Entry] = attrs.field(factory=dict[str, Entry])

    def empty(self) -> None:
        super().empty()
        self.copy.clear()


@mutant("C-091", "a read fills a copy in the process with what a write has replaced in the meantime")
class FillsItsCopyTooLate(Caches):
    class Adapter(BusyKeys):
        entries: Copied

        async def get(self, key: str, /) -> str | None:
            self.check([key])
            await self.reach()
            entry = self.entries.copy.get(key)
            if entry is None or not self.alive(entry):
                entry = self.live(key)
                entry = entry and attrs.evolve(entry)
                await self.pause("answer")
                if entry is not None:
                    self.entries.copy[key] = entry
            return None if entry is None else entry.value

        async def put(self, key: str, value: str, ttl: timedelta) -> None:
            await super().put(key, value, ttl)
            self.entries.copy.pop(key, None)

        def drop(self, key: str) -> None:
            super().drop(key)
            self.entries.copy.pop(key, None)

        async def count(self, key: str, by: int, ttl: timedelta) -> int:
            counted = await super().count(key, by, ttl)
            self.entries.copy.pop(key, None)
            return counted

    adapter = Adapter

    def __init__(self) -> None:
        self.entries = Copied()
