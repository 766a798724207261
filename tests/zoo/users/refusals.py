"""Lookups by malformed keys, and invalid values that are not refused."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import attrs

from authx_core.domain import InvalidValue, User, UserChanges, UserFields, UserId, checks
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Key, Users


@mutant("U-003", "ids are looked up by LIKE")
class IdByLike(Users):
    def find(self, user_id: UserId) -> User | None:
        found = super().find(user_id)
        return next(iter(self.ordered()), None) if user_id == "%" else found


@mutant("U-003", "NUL in a key reaches the driver, which raises")
class NulReachesDriver(Users):
    def owner(self, key: Key) -> User | None:
        if any(isinstance(part, str) and "\0" in part for part in key):
            raise ValueError("A string literal cannot contain NUL (0x00) characters.")
        return super().owner(key)


@mutant("U-003", "deleting an id that is no UUID is an error")
class DeleteParses(Users):
    async def delete(self, user_id: UserId, /) -> bool:
        return await super().delete(str(UUID(user_id)))


@mutant("U-004", "naive datetimes are taken for local time")
class NaiveTaken(Users):
    def check_user(self, user: User) -> None:
        aware = isinstance(user, User) and isinstance(user.created_at, datetime)
        checks.check_user(attrs.evolve(user, created_at=user.created_at.astimezone()) if aware else user)


@mutant("U-004", "an invalid user is stored before it is refused")
class RefusedAfter(Users):
    def check_user(self, user: User) -> None:
        try:
            checks.check_user(user)
        except InvalidValue:
            if isinstance(user, User) and user.active is None:
                self.table.users[user.id] = user
            raise


@mutant("U-004", "an epoch of True is taken for 1")
class OnlyTextChecked(Users):
    def check_user(self, user: User) -> None:
        epoch = user.epoch if isinstance(user, User) and not isinstance(user.epoch, bool) else 1
        checks.check_user(attrs.evolve(user, epoch=epoch) if isinstance(user, User) else user)


@mutant("U-004", "an update accepts a password hash as plain text instead of a `Secret`")
class PlainHashTaken(Users):
    def check_update(self, changes: UserChanges, expected: UserFields | None) -> None:
        plain = isinstance(changes.get("password_hash"), str)
        super().check_update({**changes, "password_hash": None} if plain else changes, expected)
