"""Users that come back changed or shared."""

from __future__ import annotations

from datetime import timezone

import attrs

from authx_core.domain import Secret, User, UserChanges
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users


@mutant("U-001", "the wall time of another zone is stored as UTC")
class WallTime(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, created_at=user.created_at.replace(tzinfo=timezone.utc)))


@mutant("U-001", "instants keep their offset instead of becoming UTC")
class OffsetKept(Users):
    def kept(self, user: User) -> User:
        return attrs.evolve(super().kept(user), created_at=user.created_at)


@mutant("U-001", "`create` stores the caller's version")
class VersionGiven(Users):
    def new(self, user: User) -> User:
        return self.kept(user)


@mutant("U-001", "`create` returns its argument")
class CreateEchoes(Users):
    async def create(self, user: User, /) -> User:
        await super().create(user)
        return user


@mutant("U-002", "a user without a password gets an empty hash")
class EmptyHash(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, password_hash=user.password_hash or Secret("")))


@mutant("U-005", "the store keeps the caller's own mapping instead of a copy")
class ArgumentKept(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        if "extra" in changes:
            self.table.arguments[user.id] = changes["extra"]
        return super().changed(user, changes)

    def given(self, user: User) -> User:
        return attrs.evolve(user, extra=self.table.arguments.get(user.id, user.extra))
