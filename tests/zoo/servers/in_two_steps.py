"""Users on each server whose `NEXT` or cut-off takes a step before its statement or after it."""

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
    """Put a step into the zoo, over the project's store on each server."""

    def register(step: S) -> S:
        def over(store: type[object]) -> type[object]:
            return type(step.__name__, (step, store), {"__module__": step.__module__})

        on_sql.broken(killer, sentence, "postgres", "mariadb")(over(on_sql.Store))
        on_mongodb_users.broken(killer, sentence)(over(on_mongodb_users.Store))
        return step

    return register


@broken("U-039", "the epoch is read, then written with the rest")
class NextIsReadFirst(AnyStore):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        user = await self.get(user_id)
        if user is not None and changes.get("epoch") is NEXT and user.epoch < MAX_INTEGER:
            changes = changes | UserChanges(epoch=user.epoch + 1)
        return await super().update(user_id, changes, expected=expected)


@broken("U-039", "an update by `NEXT` is read back after its transaction")
class NextIsReadBack(AnyStore):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        await super().update(user_id, changes, expected=expected)
        user = await self.get(user_id)
        if user is None:
            raise UserNotFound(user_id)
        return user


@broken("U-063", "the cut-off that was asked for is returned")
class TellsTheGivenCutoff(AnyStore):
    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        standing = await super().set_blackout(cutoff)
        return standing and cutoff and cutoff.astimezone(standing.tzinfo)


@broken("U-065", "the cut-off that stands is read back in a second statement")
class CutoffIsReadBack(AnyStore):
    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        await super().set_blackout(cutoff)
        return None if cutoff is None else await self.get_blackout()
