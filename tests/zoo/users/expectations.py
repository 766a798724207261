"""Expectations that are compared wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from authx_core.domain import StaleUser, User, UserChanges, UserFields, UserId, UserNotFound, checks, uuid7_text
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users

_WHEN = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


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
