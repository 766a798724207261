"""Users that come back changed or shared."""

from __future__ import annotations

from datetime import timezone
from typing import cast

import attrs

from authx_core.domain import Secret, User, UserChanges
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Key, Users


@mutant("U-001", "instants come back without a zone")
class NaiveInstants(Users):
    def given(self, user: User) -> User:
        return attrs.evolve(super().given(user), created_at=user.created_at.replace(tzinfo=None))


@mutant("U-001", "instants are kept to the millisecond, as BSON does")
class MillisecondInstants(Users):
    def kept(self, user: User) -> User:
        created = user.created_at
        return super().kept(
            attrs.evolve(user, created_at=created.replace(microsecond=created.microsecond // 1000 * 1000))
        )


@mutant("U-001", "the last login is kept to the millisecond")
class MillisecondLogins(Users):
    def kept(self, user: User) -> User:
        login = user.last_login
        rounded = login and login.replace(microsecond=login.microsecond // 1000 * 1000)
        return super().kept(attrs.evolve(user, last_login=rounded))


@mutant("U-001", "the wall time of another zone is stored as UTC")
class WallTime(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, created_at=user.created_at.replace(tzinfo=timezone.utc)))


@mutant("U-001", "instants keep the offset with which they came")
class OffsetKept(Users):
    def kept(self, user: User) -> User:
        return attrs.evolve(super().kept(user), created_at=user.created_at)


@mutant("U-001", "the version is the caller's")
class VersionGiven(Users):
    def new(self, user: User) -> User:
        return self.kept(user)


@mutant("U-001", "`create` returns what it was given")
class CreateEchoes(Users):
    async def create(self, user: User, /) -> User:
        await super().create(user)
        return user


@mutant("U-001", "a new user is always active")
class AlwaysActiveAtFirst(Users):
    def new(self, user: User) -> User:
        return super().new(attrs.evolve(user, active=True))


@mutant("U-001", "a new user's epoch is 1")
class EpochForgotten(Users):
    def new(self, user: User) -> User:
        return super().new(attrs.evolve(user, epoch=1))


@mutant("U-001", "the address as it was written is lower-cased")
class WrittenAddressFolded(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, email=user.email and user.email.lower()))


@mutant("U-001", "identities come back as they happen to be sorted")
class IdentitiesReordered(Users):
    def given(self, user: User) -> User:
        return attrs.evolve(super().given(user), identities=user.identities[::-1])


@mutant("U-001", "flags come back as 0 and 1")
class FlagsAsNumbers(Users):
    def given(self, user: User) -> User:
        return attrs.evolve(super().given(user), active=cast("bool", int(user.active)))


@mutant("U-002", "who has no address has an empty one")
class EmptyAddress(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, email=user.email or ""))


@mutant("U-002", "who has no password has an empty hash")
class EmptyHash(Users):
    def kept(self, user: User) -> User:
        return super().kept(attrs.evolve(user, password_hash=user.password_hash or Secret("")))


@mutant("U-002", "only one user may lack a username, as in an index where nulls are equal")
class OneWithoutUsername(Users):
    def keys(self, user: User) -> list[Key]:
        return [*super().keys(user), *([("username", "\0")] if user.username_key is None else [])]


@mutant("U-002", "who never logged in did so when they registered")
class NeverLoggedIn(Users):
    def new(self, user: User) -> User:
        return super().new(attrs.evolve(user, last_login=user.last_login or user.created_at))


@mutant("U-005", "the caller's own mapping is kept, and read when somebody asks")
class ArgumentKept(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        if "extra" in changes:
            self.table.arguments[user.id] = changes["extra"]
        return super().changed(user, changes)

    def given(self, user: User) -> User:
        return attrs.evolve(user, extra=self.table.arguments.get(user.id, user.extra))


@mutant("U-005", "lookups by key read the caller's own mapping")
class LookupReadsArgument(ArgumentKept):
    def given(self, user: User) -> User:
        return user

    async def get_by_username(self, username_key: str, /) -> User | None:
        user = self.owner(("username", username_key))
        return user and attrs.evolve(user, extra=self.table.arguments.get(user.id, user.extra))
