"""Updates that change too much, too little, or what they should not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import attrs

from authx_core.domain import StaleUser, User, UserChanges, UserFields, UserId, UserNotFound, checks, uuid7_text
from contract.mutants.registry import mutant
from contract.mutants.users import Users


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


@mutant("U-032", "an update of nobody creates a user")
class UpdateCreates(Users):
    def missing(self, user_id: UserId, changes: UserChanges) -> User:
        if not checks.is_text(user_id):
            raise UserNotFound(user_id)
        user = User(id=user_id or uuid7_text(_WHEN), created_at=_WHEN, **cast("Any", changes))
        self.table.users[user.id] = user
        return user


@mutant("U-032", "nobody is taken for stale")
class NobodyIsStale(Users):
    def missing(self, user_id: UserId, changes: UserChanges) -> User:
        raise StaleUser(user_id)


@mutant("U-032", "an unknown id is a KeyError")
class NobodyIsKeyError(Users):
    def missing(self, user_id: UserId, changes: UserChanges) -> User:
        raise KeyError(user_id)


@mutant("U-032", "who is unknown but expected to be of some version is stale")
class ExpectedNobodyIsStale(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        try:
            return await super().update(user_id, changes, expected=expected)
        except UserNotFound:
            if expected:
                raise StaleUser(user_id) from None
            raise


@mutant("U-032", "an update of nobody claims the keys")
class NobodyClaims(Users):
    def missing(self, user_id: UserId, changes: UserChanges) -> User:
        if (key := changes.get("username_key")) and not self.table.users:
            self.table.owners["username", key] = str(user_id)
            self.table.users[str(user_id)] = User(id=str(user_id), created_at=_WHEN, username_key=key)
        raise UserNotFound(user_id)


@mutant("U-037", "only the version is compared, and the epoch")
class VersionAndEpochOnly(Users):
    def equal(self, field: str, stored: Any, expected: Any) -> bool:
        return field not in {"version", "epoch"} or super().equal(field, stored, expected)


@mutant("U-037", "an expected None is ignored")
class ExpectedNoneIgnored(Users):
    def equal(self, field: str, stored: Any, expected: Any) -> bool:
        return expected is None or super().equal(field, stored, expected)


@mutant("U-037", "`= NULL` is never true")
class NullNeverEquals(Users):
    def equal(self, field: str, stored: Any, expected: Any) -> bool:
        return expected is not None and super().equal(field, stored, expected)


@mutant("U-037", "expected text is compared without its case")
class ExpectedFolded(Users):
    def equal(self, field: str, stored: Any, expected: Any) -> bool:
        if isinstance(stored, str) and isinstance(expected, str):
            return stored.casefold() == expected.casefold()
        return super().equal(field, stored, expected)


@mutant("U-037", "expected text is compared without trailing spaces")
class ExpectedPadded(Users):
    def equal(self, field: str, stored: Any, expected: Any) -> bool:
        expected = expected.rstrip(" ") if isinstance(expected, str) else expected
        return super().equal(field, stored, expected)


@mutant("U-037", "expected permissions need only be among those there are")
class ExpectedSubset(Users):
    def equal(self, field: str, stored: Any, expected: Any) -> bool:
        return expected <= stored if field == "permissions" else super().equal(field, stored, expected)


@mutant("U-037", "expected instants are compared to the millisecond")
class ExpectedMilliseconds(Users):
    def equal(self, field: str, stored: Any, expected: Any) -> bool:
        if isinstance(stored, datetime) and isinstance(expected, datetime):
            return abs((stored - expected).total_seconds()) < 0.001
        return super().equal(field, stored, expected)


@mutant("U-037", "expected instants are compared by their wall time")
class ExpectedWallTime(Users):
    def equal(self, field: str, stored: Any, expected: Any) -> bool:
        if isinstance(stored, datetime) and isinstance(expected, datetime):
            return stored.replace(tzinfo=None) == expected.replace(tzinfo=None)
        return super().equal(field, stored, expected)


@mutant("U-037", "an expectation of a field that cannot be compared is passed over")
class UnknownExpectationsIgnored(Users):
    def check_update(self, changes: UserChanges, expected: UserFields | None) -> None:
        checks.check_update(changes, None)

    def fits(self, user: User, expected: Mapping[str, Any]) -> bool:
        return super().fits(user, {name: each for name, each in expected.items() if name not in {"extra", "unknown"}})


_WHEN = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
