"""The blackout, other handles, crashes, outages and secrets."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone

from authx_core.domain import IdentifierTaken, User, UserChanges, UserFields, UserId, UserQuery
from contract.mutants.registry import mutant
from contract.mutants.users import Table, Users


@mutant("U-006", "the error of a taken key says which hash was refused")
class HashInError(Users):
    def refuse(self, taken: set[str], user: User) -> None:
        if taken:
            raise IdentifierTaken(taken) from KeyError(f"duplicate key: {user.password_hash!s}")


@mutant("U-006", "the store shows its rows")
class ReprShowsRows(Users):
    def __repr__(self) -> str:
        return f"Users({[str(user.password_hash) for user in self.table.users.values()]})"


@mutant("U-006", "each statement is logged with its parameters")
class LogsStatements(Users):
    async def insert(self, user: User) -> None:
        logging.getLogger("engine").error("INSERT INTO users (password_hash) VALUES ('%s')", user.password_hash)
        await super().insert(user)


@mutant("U-006", "an update's changes are in the context of its error")
class ChangesInContext(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        try:
            return await super().update(user_id, changes, expected=expected)
        except IdentifierTaken as error:
            error.add_note(f"parameters: {[str(value) for value in changes.values()]}")
            raise


@mutant("U-060", "the last cut-off wins")
class LastCutoffWins(Users):
    def later(self, before: datetime | None, cutoff: datetime | None) -> datetime | None:
        return cutoff and cutoff.astimezone(timezone.utc)


@mutant("U-060", "None does not lift the blackout")
class NeverLifted(Users):
    def later(self, before: datetime | None, cutoff: datetime | None) -> datetime | None:
        return before if cutoff is None else super().later(before, cutoff)


@mutant("U-060", "a cut-off is kept to the second, as in a token")
class CutoffInSeconds(Users):
    def later(self, before: datetime | None, cutoff: datetime | None) -> datetime | None:
        return super().later(before, cutoff and cutoff.replace(microsecond=0))


@mutant("U-060", "cut-offs are compared as text")
class CutoffsAsText(Users):
    def later(self, before: datetime | None, cutoff: datetime | None) -> datetime | None:
        if cutoff is None or before is None:
            return cutoff and cutoff.astimezone(timezone.utc)
        return max(before, cutoff, key=lambda each: each.isoformat()).astimezone(timezone.utc)


@mutant("U-060", "there is a blackout from the first: 1970")
class BlackoutOfTheEpoch(Users):
    async def get_blackout(self) -> datetime | None:
        return await super().get_blackout() or datetime.fromtimestamp(0, timezone.utc)


@mutant("U-060", "a cut-off keeps its zone")
class CutoffKeepsZone(Users):
    def later(self, before: datetime | None, cutoff: datetime | None) -> datetime | None:
        return cutoff and max(cutoff, before or cutoff)


@mutant("U-061", "each handle keeps the blackout that it read first")
class BlackoutCached(Users):
    cutoff: datetime | None = None

    async def get_blackout(self) -> datetime | None:
        self.cutoff = self.cutoff or await super().get_blackout()
        return self.cutoff

    async def set_blackout(self, cutoff: datetime | None, /) -> None:
        self.cutoff = None
        await super().set_blackout(cutoff)


@mutant("U-061", "each handle keeps the users that it has read")
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


@mutant("U-061", "each handle keeps the count")
class CountCached(Users):
    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.counted: int | None = None

    async def insert(self, user: User) -> None:
        self.counted = None
        await super().insert(user)

    async def remove(self, user: User) -> None:
        self.counted = None
        await super().remove(user)

    async def count(self, query: UserQuery, /) -> int:
        if query != UserQuery():
            return await super().count(query)
        self.counted = await super().count(query) if self.counted is None else self.counted
        return self.counted


@mutant("U-061", "a new store begins with an empty blackout")
class OpeningLifts(Users):
    def __init__(self, table: Table) -> None:
        super().__init__(table)
        table.blackout = None


@mutant("U-080", "a cancelled operation leaves the handle busy")
class BusyForEver(Users):
    busy = False

    async def reach(self) -> None:
        if self.busy:
            raise RuntimeError("another operation is in progress")
        self.busy = True
        await asyncio.sleep(0)
        await super().reach()
        self.busy = False


@mutant("U-080", "a cancelled search leaves the handle busy with it")
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


@mutant("U-081", "a user and its keys are created in two transactions")
class CreateInTwo(Users):
    pauses = frozenset({"create: half"})


@mutant("U-081", "a create is undone in `except Exception`, which a cancellation passes by")
class UndoneByException(Users):
    async def insert(self, user: User) -> None:
        self.table.users[user.id] = user
        try:
            await asyncio.sleep(0)
            self.claim(user)
        except Exception:
            del self.table.users[user.id]
            raise


@mutant("U-081", "the keys are claimed first, and stay if the user never comes")
class KeysFirst(Users):
    async def insert(self, user: User) -> None:
        self.claim(user)
        await asyncio.sleep(0)
        self.table.users[user.id] = user


@mutant("U-082", "a user and its keys are updated in two transactions")
class UpdateInTwo(Users):
    pauses = frozenset({"update: half"})


@mutant("U-082", "an update deletes and inserts")
class DeleteThenInsert(Users):
    async def replace(self, before: User, user: User) -> None:
        await self.remove(before)
        await asyncio.sleep(0)
        await self.insert(user)


@mutant("U-082", "a cancelled update puts the row back, and not the keys")
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


@mutant("U-083", "the keys are freed first, and the user stays if the delete is cancelled")
class KeysFreedFirst(Users):
    async def remove(self, user: User) -> None:
        self.free(user)
        await asyncio.sleep(0)
        self.table.users.pop(user.id, None)


@mutant("U-084", "the driver's error leaves the store")
class DriverErrorLeaves(Users):
    async def reach(self) -> None:
        if self.table.down:
            raise ConnectionRefusedError(111, "Connection refused")


@mutant("U-084", "an outage finds nobody")
class OutageFindsNobody(Users):
    async def get(self, user_id: UserId, /) -> User | None:
        return None if self.table.down else await super().get(user_id)


@mutant("U-084", "after an outage the handle stays broken")
class BrokenForGood(Users):
    broken = False

    async def reach(self) -> None:
        self.table.down = self.broken = self.table.down or self.broken
        await super().reach()


@mutant("U-086", "a second thread waits for the first one's loop, for ever or until an error")
class BoundToItsLoop(Users):
    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.home: asyncio.AbstractEventLoop | None = None

    async def reach(self) -> None:
        self.home = self.home or asyncio.get_running_loop()
        if self.home is not asyncio.get_running_loop():
            raise AttributeError("'NoneType' object has no attribute 'send'")
        await super().reach()
