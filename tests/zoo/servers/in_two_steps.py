"""User stores on each server with one step too many, before or after the statement of a `NEXT` or a cut-off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from authx_core.domain import NEXT, User, UserChanges, UserFields, UserId, UserNotFound
from authx_core.domain.limits import MAX_INTEGER
from zoo.servers import on_mongodb_users, on_sql

if TYPE_CHECKING:
    from authx_adapters.memory import MemoryUserStore as AnyStore
else:
    AnyStore = object

S = TypeVar("S", bound=type[AnyStore])


def broken(killer: str, sentence: str) -> Callable[[S], S]:
    """Put a step over the project's store into the zoo, on each server."""

    def register(step: S) -> S:
        def over(store: type[object]) -> type[object]:
            return type(step.__name__, (step, store), {"__module__": step.__module__})

        on_sql.broken(killer, sentence, "postgres", "mariadb")(over(on_sql.Store))
        on_mongodb_users.broken(killer, sentence)(over(on_mongodb_users.Store))
        return step

    return register


@broken("U-039", "the epoch is read, then written with the other changes")
class NextIsReadFirst(AnyStore):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        user = await self.get(user_id)
        if user is not None and changes.get("epoch") is NEXT and user.epoch < MAX_INTEGER:
            changes = changes | UserChanges(epoch=user.epoch + 1)
        return await super().update(user_id, changes, expected=expected)


@broken("U-039", "an update by `NEXT` reads the user back after its transaction")
class NextIsReadBack(AnyStore):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        await super().update(user_id, changes, expected=expected)
        user = await self.get(user_id)
        if user is None:
            raise UserNotFound(user_id)
        return user


@broken("U-063", "`set_blackout` returns the cut-off that it was given")
class TellsTheGivenCutoff(AnyStore):
    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        standing = await super().set_blackout(cutoff)
        return standing and cutoff and cutoff.astimezone(standing.tzinfo)


@broken("U-065", "the cut-off that stands is read back in a second statement")
class CutoffIsReadBack(AnyStore):
    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        await super().set_blackout(cutoff)
        return None if cutoff is None else await self.get_blackout()
