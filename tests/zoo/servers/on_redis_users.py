"""User stores on Redis with one fault each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

import attrs

from authx_core.domain import IdentifierTaken, User, UserId, checks
from zoo.correct.redis_users import RedisUsers
from zoo.machinery.records import dump, load
from zoo.servers.on_redis import broken


@broken("U-020", "the user is stored, then the keys are claimed one by one")
class ClaimsOneByOne(RedisUsers):
    async def _exchange(
        self, user_id: UserId, before: str, after: str, *, freed: Iterable[str] = (), claimed: Iterable[str] = ()
    ) -> bool:
        if not await super()._exchange(user_id, before, after, freed=freed):
            return False
        wanted = [await self._client.hsetnx(self._owners, field, user_id) for field in claimed]
        return all(wanted)


@broken("U-030", "an update does not free the keys that the user gives up")
class KeepsOldKeys(RedisUsers):
    async def _exchange(
        self, user_id: UserId, before: str, after: str, *, freed: Iterable[str] = (), claimed: Iterable[str] = ()
    ) -> int | list[str]:
        freed = () if after else freed
        return await super()._exchange(user_id, before, after, freed=freed, claimed=claimed)


@broken("U-021", "keys are looked up, then claimed by a second command")
class LooksBeforeItClaims(RedisUsers):
    async def create(self, user: User, /) -> User:
        checks.check_user(user)
        taken = await self._taken(user)
        if await self._client.hexists(self._users, user.id):
            taken.add("id")
        if taken:
            raise IdentifierTaken.of(taken)
        document = dump(attrs.evolve(user, version=1))
        async with self._client.pipeline() as pipeline:
            pipeline.hset(self._users, user.id, document)
            pipeline.zadd(self._ids, {user.id: 0})
            for field in self._fields(user):
                pipeline.hset(self._owners, field, user.id)
            await pipeline.execute()
        return load(document)


@broken("U-012", "the parts of a key are joined by a colon, which each may contain")
class JoinsKeys(RedisUsers):
    def _field(self, key: tuple[str, ...]) -> str:
        return ":".join(key)


@broken("U-060", "the blackout is read, compared, then set")
class BlacksOutInTwoSteps(RedisUsers):
    async def set_blackout(self, cutoff: datetime | None, /) -> datetime | None:
        checks.check_blackout(cutoff)
        before = await self.get_blackout()
        if cutoff is None:
            return await super().set_blackout(None)
        if before is not None and before >= cutoff:
            return before
        await self._client.set(self._blackout, cutoff.astimezone(timezone.utc).isoformat())
        return cutoff
