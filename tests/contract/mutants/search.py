"""Searches that skip, repeat, or take text for a pattern."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from copy import deepcopy
from random import Random

import attrs

from authx_core.domain import User, UserId, UserQuery, checks
from contract.mutants.registry import mutant
from contract.mutants.users import Users


@mutant("U-050", "`>=` for `>`: each page begins with the last user of the one before")
class FromIncluded(Users):
    def beyond(self, user: User, after: UserId | None) -> bool:
        return after is None or user.id >= after


@mutant("U-050", "users come in the order in which the dictionary has them after it was shuffled")
class NoOrder(Users):
    def ordered(self) -> Iterable[User]:
        users = list(self.table.users.values())
        Random(len(users)).shuffle(users)  # noqa: S311 - not a secret
        return users


@mutant("U-050", "the newest come first, and `after` does not know")
class NewestFirst(Users):
    def ordered(self) -> Iterable[User]:
        return reversed(list(super().ordered()))


@mutant("U-050", "the order is that of names")
class OrderedByActivity(Users):
    def ordered(self) -> Iterable[User]:
        return sorted(super().ordered(), key=lambda user: (not user.active, user.id))


@mutant("U-050", "a page is cut before it is filtered")
class CutThenFiltered(Users):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        self.check_search(query, limit, after, offset)
        page = [user for user in self.ordered() if self.beyond(user, after)][offset : offset + limit]
        return [self.given(user) for user in page if self.matches(user, query)]


@mutant("U-050", "one more than the limit, to see whether there is a next page")
class OneMore(Users):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        self.check_search(query, limit, after, offset)
        return await super().search(query, limit=min(limit + 1, 1000), after=after, offset=offset)


@mutant("U-051", "the handle turns `after` into an offset: it counts what it has given so far")
class OffsetForKeyset(Users):
    given_so_far = 0
    last: UserId | None = None

    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        if offset:
            return await super().search(query, limit=limit, after=after, offset=offset)
        if after is None or after != self.last:
            self.given_so_far = 0
            page = await super().search(query, limit=limit, after=after, offset=offset)
            self.given_so_far = len(page) if after is None else 0
        else:
            page = await super().search(query, limit=limit, offset=self.given_so_far)
            self.given_so_far += len(page)
        self.last = page[-1].id if page and self.given_so_far else None
        return page


@mutant("U-052", "search text is a pattern of LIKE")
class LikeSearch(Users):
    def contains(self, part: str | None, key: str | None) -> bool:
        return part is None or (key is not None and re.search(_like(part), key, re.DOTALL) is not None)


@mutant("U-052", "the prefix is a pattern of LIKE")
class LikePrefix(Users):
    def starts(self, part: str | None, key: str | None) -> bool:
        return part is None or (key is not None and re.match(_like(part), key, re.DOTALL) is not None)


@mutant("U-052", "search text is a regular expression, or nothing if it is none")
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


@mutant("U-052", "search text is compared without its case")
class SearchFolded(Users):
    def contains(self, part: str | None, key: str | None) -> bool:
        return super().contains(part and part.lower(), key and key.lower())


@mutant("U-052", "the prefix is a range that ends at the next character of the basic plane")
class PrefixRange(Users):
    def starts(self, part: str | None, key: str | None) -> bool:
        return not part or (key is not None and part <= key < f"{part}\uffff")


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


@mutant("U-054", "`active=False` is taken for no filter")
class FalseIsNoFilter(Users):
    def matches(self, user: User, query: UserQuery) -> bool:
        return super().matches(user, attrs.evolve(query, active=query.active or None))


@mutant("U-054", "the count knows only some of the filters")
class CountIgnoresPermission(Users):
    async def count(self, query: UserQuery, /) -> int:
        checks.check_query(query)
        return await super().count(attrs.evolve(query, permission=None))


@mutant("U-054", "a permission matches those that begin with it")
class PermissionPrefix(Users):
    def may(self, permission: str | None, user: User) -> bool:
        return permission is None or any(each.startswith(permission) for each in user.permissions)


@mutant("U-054", "permissions are compared without their case")
class PermissionFolded(Users):
    def may(self, permission: str | None, user: User) -> bool:
        return permission is None or permission.lower() in {each.lower() for each in user.permissions}


@mutant("U-054", "an empty text is taken for no filter")
class EmptyIsNoFilter(Users):
    def may(self, permission: str | None, user: User) -> bool:
        return not permission or super().may(permission, user)


@mutant("U-054", "an id alone decides, whatever else is asked")
class IdAloneDecides(Users):
    def matches(self, user: User, query: UserQuery) -> bool:
        return user.id == query.id if query.id is not None else super().matches(user, query)


@mutant("U-054", "a user without a name is found by any piece of it")
class NamelessMatches(Users):
    def contains(self, part: str | None, key: str | None) -> bool:
        return super().contains(part, key or "") if not part else super().contains(part, key)


@mutant("U-055", "each page is copied out of all that lie before it")
class ScansFromTheStart(Users):
    def ordered(self) -> Iterable[User]:
        return super().ordered()

    def beyond(self, user: User, after: UserId | None) -> bool:
        beyond = super().beyond(user, after)
        if not beyond:
            deepcopy(user)
        return beyond


@mutant("U-056", "the place to go on from is looked up, and is the start if it is gone")
class AfterLookedUp(Users):
    def beyond(self, user: User, after: UserId | None) -> bool:
        return super().beyond(user, after if after in self.table.users else None)


@mutant("U-056", "after an id that is gone there is nobody")
class AfterGoneIsNobody(Users):
    def beyond(self, user: User, after: UserId | None) -> bool:
        return after is None or (after in self.table.users and user.id > after)


@mutant("U-057", "`offset` is ignored when `after` is given")
class OffsetOrAfter(Users):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        self.check_search(query, limit, after, offset)
        return await super().search(query, limit=limit, after=after, offset=0 if after else offset)


@mutant("U-057", "`offset` is applied after the limit")
class OffsetAfterLimit(Users):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        self.check_search(query, limit, after, offset)
        return (await super().search(query, limit=limit, after=after))[offset:]


@mutant("U-057", "`offset` counts pages")
class OffsetInPages(Users):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        self.check_search(query, limit, after, offset)
        return await super().search(query, limit=limit, after=after, offset=offset * limit)


@mutant("U-057", "an offset into a filtered search counts those whom the filter excludes")
class OffsetBeforeFilter(Users):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        self.check_search(query, limit, after, offset)
        if not offset or query == UserQuery():
            return await super().search(query, limit=limit, after=after, offset=offset)
        beyond = [user for user in self.ordered() if self.beyond(user, after)][offset:]
        return [self.given(user) for user in beyond if self.matches(user, query)][:limit]


def _like(text: str) -> str:
    return "".join({"%": ".*", "_": "."}.get(each, re.escape(each)) for each in text)
