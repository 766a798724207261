"""Expected fields that are compared wrongly."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from authx_core.domain import StaleUser, User, UserChanges, UserFields, UserId, UserNotFound
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users


@mutant("U-032", "an unknown user with expected fields is StaleUser instead of UserNotFound")
class ExpectedNobodyIsStale(Users):
    async def update(self, user_id: UserId, changes: UserChanges, /, *, expected: UserFields | None = None) -> User:
        try:
            return await super().update(user_id, changes, expected=expected)
        except UserNotFound:
            if expected:
                raise StaleUser(user_id) from None
            raise


@mutant("U-037", "an expected None is ignored")
class ExpectedNoneIgnored(Users):
    def equal(self, field: str, stored: Any, expected: Any) -> bool:
        return expected is None or super().equal(field, stored, expected)


@mutant("U-037", "`= NULL` is never true")
class NullNeverEquals(Users):
    def equal(self, field: str, stored: Any, expected: Any) -> bool:
        return expected is not None and super().equal(field, stored, expected)


@mutant("U-037", "expected text is compared without regard to case")
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


@mutant("U-037", "expected permissions need only be a subset of the present ones")
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
