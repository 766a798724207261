"""`NEXT` that raises the epoch wrongly."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs

from authx_adapters.memory import MemoryUserStore
from authx_core.domain import (
    NEXT,
    InvalidValue,
    StaleUser,
    StoreUnavailable,
    User,
    UserChanges,
    UserFields,
    UserId,
    checks,
    limits,
)
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users


def counts(changes: UserChanges) -> bool:
    return changes.get("epoch") is NEXT


@mutant("U-038", "`NEXT` sets the epoch to the version plus one")
class NextIsTheVersion(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        return super().changed(user, changes | UserChanges(epoch=user.version + 1) if counts(changes) else changes)


@mutant("U-038", "`NEXT` raises the epoch by two if an epoch is expected")
class NextCountsWhatIsExpected(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        if counts(changes) and expected and isinstance(epoch := expected.get("epoch"), int):
            changes = changes | UserChanges(epoch=min(epoch + 2, limits.MAX_INTEGER))
        return await super().update(user_id, changes, expected=expected)


@mutant("U-038", "the epoch rises even if an expected field differs")
class NextBeforeItCompares(Users):
    def fits(self, user: User, expected: Any) -> bool:
        fits = super().fits(user, expected)
        if not fits and self.counting:
            self.table.users[user.id] = attrs.evolve(user, epoch=user.epoch + 1)
        return fits

    counting = False

    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        self.counting = counts(changes)
        return await super().update(user_id, changes, expected=expected)


@mutant("U-038", "`NEXT` adds in floating point, as a script on a server may")
class NextInFloatingPoint(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        after = super().changed(user, changes)
        return attrs.evolve(after, epoch=int(float(user.epoch) + 1.0)) if counts(changes) else after


@mutant("U-038", "an epoch at its maximum is reported as an outage")
class NextOverflows(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        try:
            return super().changed(user, changes)
        except InvalidValue as error:
            raise StoreUnavailable("integer out of range") from error


@mutant("U-038", "an epoch at its maximum stays, and the other changes are written")
class NextStaysAtTheHighest(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        if counts(changes) and user.epoch == limits.MAX_INTEGER:
            changes = changes | UserChanges(epoch=user.epoch)
        return super().changed(user, changes)


@mutant("U-038", "an expected `NEXT` is ignored instead of refused")
class NextExpected(Users):
    def check_update(self, changes: UserChanges, expected: UserFields | None) -> None:
        given: Any = expected or {}
        super().check_update(changes, {name: each for name, each in given.items() if each is not NEXT} or None)  # type: ignore[arg-type]

    def equal(self, field: str, stored: Any, expected: Any) -> bool:
        return expected is NEXT or super().equal(field, stored, expected)


@mutant("U-039", "the epoch is read, then written with the other changes")
class NextReadThenWritten(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        self.check_update(changes, expected)
        user = self.find(user_id)
        if user is not None and counts(changes) and user.epoch < limits.MAX_INTEGER:
            changes = changes | UserChanges(epoch=user.epoch + 1)
            await asyncio.sleep(0)
        return await super().update(user_id, changes, expected=expected)


@mutant("U-039", "the epoch is read, then written with the other changes, without a lock")
class UnlockedNext(MemoryUserStore):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        checks.check_update(changes, expected)
        user = await self.get(user_id)
        if user is not None and counts(changes) and user.epoch < limits.MAX_INTEGER:
            changes = changes | UserChanges(epoch=user.epoch + 1)
        return await super().update(user_id, changes, expected=expected)


@mutant("U-039", "the epoch rises in a second statement, after the version")
class NextInASecondStatement(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        self.check_update(changes, expected)
        user = self.find(user_id)
        if user is None or not counts(changes) or user.epoch == limits.MAX_INTEGER:
            return await super().update(user_id, changes, expected=expected)
        await super().update(user_id, changes | UserChanges(epoch=user.epoch), expected=expected)
        await asyncio.sleep(0)
        found = self.table.users[user_id]
        after = self.table.users[user_id] = attrs.evolve(found, epoch=found.epoch + 1)
        return self.given(after)


@mutant("U-039", "`NEXT` is a compare-and-set of the epoch, and the second of two callers gets StaleUser")
class NextGivesUp(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        self.check_update(changes, expected)
        user = self.find(user_id)
        if user is not None and counts(changes) and self.fits(user, expected or {}):
            await asyncio.sleep(0)
            now = self.find(user_id)
            if now is not None and now.epoch != user.epoch:
                raise StaleUser(user_id)
        return await super().update(user_id, changes, expected=expected)


@mutant("U-039", "an update by `NEXT` returns the user as it is read later")
class NextAnswersLater(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        after = await super().update(user_id, changes, expected=expected)
        if not counts(changes):
            return after
        await asyncio.sleep(0)
        return await self.get(user_id) or after
