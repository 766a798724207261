"""Updates that change too much or too little."""

from __future__ import annotations

from typing import cast

from authx_core.domain import StaleUser, User, UserChanges, UserFields, UserId
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users


@mutant("U-030", "a change to None counts as no change")
class NoneIsNoChange(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        real = {name: value for name, value in changes.items() if value is not None}
        return super().changed(user, cast("UserChanges", real))


@mutant("U-030", "a change of the registration time is silently ignored")
class CreatedAtFixed(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        return super().changed(user, {**changes, "created_at": user.created_at})


@mutant("U-031", "a stale update claims its keys")
class StaleClaims(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        try:
            return await super().update(user_id, changes, expected=expected)
        except StaleUser:
            if changes.get("username_key"):
                self.claim(self.changed(self.table.users[user_id], changes))
            raise
