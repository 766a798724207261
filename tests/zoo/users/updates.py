"""Updates that change too much or too little."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import attrs

from authx_core.domain import StaleUser, User, UserChanges, UserFields, UserId
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users


@mutant("U-030", "the old keys stay claimed")
class OldKeysStay(Users):
    async def replace(self, before: User, user: User) -> None:
        self.table.users[user.id] = user
        self.claim(user)


@mutant("U-030", "the new keys are not claimed")
class NewKeysUnclaimed(Users):
    async def replace(self, before: User, user: User) -> None:
        self.table.users[user.id] = user


@mutant("U-030", "an old identity stays claimed")
class OldIdentityStays(Users):
    async def replace(self, before: User, user: User) -> None:
        await super().replace(attrs.evolve(before, identities=()), user)


@mutant("U-030", "linked identities are only ever added to")
class IdentitiesAdded(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        given = changes.get("identities", ())
        kept = tuple(each for each in user.identities if each not in given)
        return super().changed(user, {**changes, "identities": kept + given})


@mutant("U-030", "the user as it was before is returned")
class ReturnsBefore(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        before = await self.get(user_id)
        updated = await super().update(user_id, changes, expected=expected)
        return before or updated


@mutant("U-030", "a change to None is taken for no change")
class NoneIsNoChange(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        real = {name: value for name, value in changes.items() if value is not None}
        return super().changed(user, cast("UserChanges", real))


@mutant("U-030", "an update also writes when the person was last seen")
class TouchesLastLogin(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        return super().changed(user, {"last_login": user.created_at, **changes})


@mutant("U-030", "the time of registration cannot be changed, quietly")
class CreatedAtFixed(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        return super().changed(user, {**changes, "created_at": user.created_at})


@mutant("U-030", "the version rises by each changed field")
class VersionByFields(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        return attrs.evolve(super().changed(user, changes), version=user.version + max(1, len(changes)))


@mutant("U-031", "the version does not rise when nothing differs")
class VersionKeptWhenEqual(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        changed = super().changed(user, changes)
        return user if attrs.evolve(changed, version=user.version) == user else changed


@mutant("U-031", "an update that changes nothing counts no rows, and is taken for stale")
class NothingIsStale(Users):
    def changed(self, user: User, changes: UserChanges) -> User:
        changed = super().changed(user, changes)
        if changes and attrs.evolve(changed, version=user.version) == user:
            raise StaleUser(user.id)
        return changed


@mutant("U-031", "what is expected is ignored")
class ExpectedIgnored(Users):
    def fits(self, user: User, expected: Mapping[str, Any]) -> bool:
        return True


@mutant("U-031", "one of the expected fields is enough")
class AnyExpected(Users):
    def fits(self, user: User, expected: Mapping[str, Any]) -> bool:
        return not expected or any(self.equal(field, getattr(user, field), each) for field, each in expected.items())


@mutant("U-031", "a stale update is written before it is refused")
class StaleIsWritten(Users):
    def fits(self, user: User, expected: Mapping[str, Any]) -> bool:
        fits = super().fits(user, expected)
        if not fits:
            self.table.users[user.id] = attrs.evolve(user, version=user.version + 1)
        return fits


@mutant("U-031", "an expected version is met by a later one")
class LaterVersionFits(Users):
    def equal(self, field: str, stored: Any, expected: Any) -> bool:
        return bool(stored <= expected) if field == "version" else super().equal(field, stored, expected)


@mutant("U-031", "a stale update claims its keys")
class StaleClaims(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        try:
            return await super().update(user_id, changes, expected=expected)
        except StaleUser:
            if changes.get("username_key"):
                self.claim(self.changed(self.table.users[user_id], changes))
            raise
