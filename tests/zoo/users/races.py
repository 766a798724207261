"""Look up, then write, while another caller comes between."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from datetime import datetime
from typing import Any, ClassVar

import attrs

from authx_adapters.memory import MemoryUserStore
from authx_core.domain import StoreUnavailable, User, UserChanges, UserFields, UserId
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users


@mutant("U-021", "an address is looked up, then inserted")
class AddressLookedUp(Users):
    async def insert(self, user: User) -> None:
        if user.email_key is not None:
            await asyncio.sleep(0)
        await super().insert(user)


@mutant("U-021", "look up, then insert, without a lock")
class UnlockedStore(MemoryUserStore):
    def __init__(self) -> None:
        super().__init__()
        self._lock: Any = nullcontext()  # type: ignore[misc]  # the fault


@mutant("U-022", "an update of a user's only key looks it up, then writes")
class OnlyKeyLookedUp(Users):
    async def replace(self, before: User, user: User) -> None:
        if len(self.keys(user)) == 1:
            await asyncio.sleep(0)
        await super().replace(before, user)


@mutant("U-023", "keys are locked in the order given, and a deadlock is reported as an outage")
class LocksInOrder(Users):
    locked: ClassVar[dict[str, str]] = {}

    async def insert(self, user: User) -> None:
        mine: list[str] = []
        try:
            for each in user.identities:
                while self.locked.setdefault(each.subject, user.id) != user.id:
                    if mine:
                        raise StoreUnavailable("deadlock detected")
                    await asyncio.sleep(0)
                mine.append(each.subject)
                await asyncio.sleep(0)
            self.refuse(self.taken(user, set()), user)
            await super().insert(user)
        finally:
            for subject in mine:
                del self.locked[subject]


@mutant("U-034", "read, compare, then write")
class CompareThenWrite(Users):
    pauses = frozenset({"update: compared"})


@mutant("U-035", "expected fields are compared when the user is read, not when it is written")
class ComparedBefore(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        await super().update(user_id, {}, expected=expected)
        user = self.table.users[user_id]
        self.table.users[user_id] = attrs.evolve(user, version=user.version - 1)
        await asyncio.sleep(0)
        return await super().update(user_id, changes)


@mutant("U-035", "the expected version is compared, then the update is written, without a lock")
class UnlockedUpdates(MemoryUserStore):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        user = await self.get(user_id)
        if user is not None and expected and expected.get("version") == user.version:
            return await super().update(user_id, changes)
        return await super().update(user_id, changes, expected=expected)


@mutant("U-036", "an update with expected fields that is cancelled after its write is written again")
class CancelledIsRepeated(Users):
    pauses = frozenset({"answer"})

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        try:
            return await super().update(user_id, changes, expected=expected)
        except asyncio.CancelledError:
            if expected:
                await super().update(user_id, changes)
            raise


@mutant("U-041", "an update writes the user back, even if it was deleted meanwhile")
class UpdateRevives(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        self.check_update(changes, expected)
        if expected is None and self.find(user_id) is not None:
            before = self.table.users[user_id]
            await asyncio.sleep(0)
            self.table.users.setdefault(user_id, before)
        return await super().update(user_id, changes, expected=expected)


@mutant("U-041", "a delete frees the keys that it read, not the present ones")
class DeleteFreesOldKeys(Users):
    async def delete(self, user_id: UserId, /) -> bool:
        await self.reach()
        read = self.find(user_id)
        if read is None:
            return False
        await asyncio.sleep(0)
        self.free(read)
        return self.table.users.pop(user_id, None) is not None


@mutant("U-042", "a delete looks the user up first, and answers by that")
class AskThenDelete(Users):
    pauses = frozenset({"delete: looked up"})

    async def remove(self, user: User) -> None:
        await super().remove(self.table.users.get(user.id, user))


@mutant("U-042", "a delete looks the user up first, and answers by that, without a lock")
class UnlockedDelete(MemoryUserStore):
    async def delete(self, user_id: UserId, /) -> bool:
        there = await self.get(user_id) is not None
        await super().delete(user_id)
        return there


@mutant("U-060", "two cut-offs are compared, then the later is written")
class CutoffReadThenWritten(Users):
    pauses = frozenset({"blackout: read"})


@mutant("U-060", "two cut-offs are compared, then the later is written, without a lock")
class UnlockedCutoff(MemoryUserStore):
    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        before = await self.get_blackout()
        if cutoff is None or before is None:
            return await super().set_blackout(cutoff)
        later = max(before, cutoff)
        await super().set_blackout(None)
        return await super().set_blackout(later)
