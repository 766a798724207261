"""The blackout, and what other handles see."""

from __future__ import annotations

from datetime import datetime, timezone

from authx_core.domain import User, UserChanges, UserFields, UserId, UserQuery
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Table, Users


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

    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        self.cutoff = None
        return await super().set_blackout(cutoff)


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
