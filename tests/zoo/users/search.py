"""Searches that take text for a pattern, or miscount."""

from __future__ import annotations

import fnmatch
import re

from authx_core.domain import User, UserId, UserQuery, checks
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users


@mutant("U-052", "search text is a pattern of LIKE")
class LikeSearch(Users):
    def contains(self, part: str | None, key: str | None) -> bool:
        return part is None or (key is not None and re.search(_like(part), key, re.DOTALL) is not None)


@mutant("U-052", "the prefix is a pattern of LIKE")
class LikePrefix(Users):
    def starts(self, part: str | None, key: str | None) -> bool:
        return part is None or (key is not None and re.match(_like(part), key, re.DOTALL) is not None)


@mutant("U-052", "search text is a regular expression, and an invalid one finds nobody")
class RegexSearch(Users):
    def contains(self, part: str | None, key: str | None) -> bool:
        try:
            return part is None or (key is not None and re.search(part, key) is not None)
        except re.error:
            return False


@mutant("U-052", "search text is a glob")
class GlobSearch(Users):
    def contains(self, part: str | None, key: str | None) -> bool:
        return part is None or (key is not None and fnmatch.fnmatchcase(key, f"*{part}*"))


@mutant("U-052", "search text is trimmed")
class SearchTrimmed(Users):
    def contains(self, part: str | None, key: str | None) -> bool:
        return super().contains(part and part.strip(), key)


@mutant("U-052", "a query with NUL finds nobody instead of being refused")
class NulFindsNobody(Users):
    def check_search(self, query: UserQuery, limit: int, after: UserId | None, offset: int) -> None:
        checks.check_page(limit, after, offset)


@mutant("U-053", "limits are not checked")
class LimitUnchecked(Users):
    def check_search(self, query: UserQuery, limit: int, after: UserId | None, offset: int) -> None:
        checks.check_query(query)


@mutant("U-053", "a limit above 1000 is quietly lowered")
class LimitLowered(Users):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        lowered = min(limit, 1000) if isinstance(limit, int) else limit
        return await super().search(query, limit=lowered, after=after, offset=offset)


@mutant("U-053", "a limit of 0 means all")
class ZeroIsAll(Users):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        return await super().search(query, limit=1000 if limit == 0 else limit, after=after, offset=offset)


@mutant("U-053", "a negative offset counts from the end")
class NegativeOffset(Users):
    def check_search(self, query: UserQuery, limit: int, after: UserId | None, offset: int) -> None:
        super().check_search(query, limit, after, abs(offset) if isinstance(offset, int) else offset)


@mutant("U-054", "a permission matches those that begin with it")
class PermissionPrefix(Users):
    def may(self, permission: str | None, user: User) -> bool:
        return permission is None or any(each.startswith(permission) for each in user.permissions)


@mutant("U-054", "permissions are compared without regard to case")
class PermissionFolded(Users):
    def may(self, permission: str | None, user: User) -> bool:
        return permission is None or permission.lower() in {each.lower() for each in user.permissions}


@mutant("U-054", "an empty permission counts as no filter")
class EmptyIsNoFilter(Users):
    def may(self, permission: str | None, user: User) -> bool:
        return not permission or super().may(permission, user)


@mutant("U-054", "a query with an id ignores its other filters")
class IdAloneDecides(Users):
    def matches(self, user: User, query: UserQuery) -> bool:
        return user.id == query.id if query.id is not None else super().matches(user, query)


@mutant("U-054", "an empty search text finds users without a name")
class NamelessMatches(Users):
    def contains(self, part: str | None, key: str | None) -> bool:
        return super().contains(part, key or "") if not part else super().contains(part, key)


def _like(text: str) -> str:
    return "".join({"%": ".*", "_": "."}.get(each, re.escape(each)) for each in text)
