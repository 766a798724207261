"""Pages that skip or repeat."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

from authx_core.domain import User, UserId, UserQuery
from zoo.machinery.registry import mutant
from zoo.machinery.small_users import Users


@mutant("U-050", "the engine answers in batches of four, and a page ends with a batch")
class PagesOfBatches(Users):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        self.check_search(query, limit, after, offset)
        whole = limit if limit < 4 else limit // 4 * 4
        return await super().search(query, limit=whole, after=after, offset=offset)


@mutant("U-051", "the handle turns `after` into an offset: it counts the users that it has returned so far")
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


@mutant("U-055", "each page costs a copy of every user before it")
class ScansFromTheStart(Users):
    def ordered(self) -> Iterable[User]:
        return super().ordered()

    def beyond(self, user: User, after: UserId | None) -> bool:
        beyond = super().beyond(user, after)
        if not beyond:
            deepcopy(user)
        return beyond


@mutant("U-056", "`after` is looked up, and the search starts over if that user is gone")
class AfterLookedUp(Users):
    def beyond(self, user: User, after: UserId | None) -> bool:
        return super().beyond(user, after if after in self.table.users else None)


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


@mutant("U-057", "`offset` also counts users whom the filter excludes")
class OffsetBeforeFilter(Users):
    async def search(
        self, query: UserQuery, /, *, limit: int, after: UserId | None = None, offset: int = 0
    ) -> list[User]:
        self.check_search(query, limit, after, offset)
        if not offset or query == UserQuery():
            return await super().search(query, limit=limit, after=after, offset=offset)
        beyond = [user for user in self.ordered() if self.beyond(user, after)][offset:]
        return [self.given(user) for user in beyond if self.matches(user, query)][:limit]
