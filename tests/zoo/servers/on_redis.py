"""Caches and users on Redis with one wrong thing each, mostly the command that comes to mind first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

import attrs
from redis.exceptions import ResponseError

from authx_adapters.redis import RedisCache
from authx_adapters.redis.server import Script
from authx_contract import SteppedClock
from authx_core.domain import IdentifierTaken, InvalidValue, User, UserId, checks
from authx_core.ports import Cache, UserStore
from zoo.correct.redis_users import RedisUsers
from zoo.machinery.lent import OnRedis
from zoo.machinery.records import dump, load
from zoo.machinery.registry import C, mutant


class Broken(RedisCache):
    """The project's cache, whose client and names a mutant may use."""

    def __init__(self, client: Any, *, prefix: str) -> None:
        super().__init__(client, prefix=prefix)
        self.client = client


class CacheOnRedis(OnRedis):
    adapter: ClassVar[Callable[..., Cache]]

    async def open_cache(self, _: SteppedClock, /) -> Cache:
        return self.adapter(self.client(), prefix=self.prefix)


class UsersOnRedis(OnRedis):
    adapter: ClassVar[Callable[..., UserStore]]

    async def open_users(self, _: SteppedClock, /) -> UserStore:
        return self.adapter(self.client(decode_responses=True), self.prefix)


def broken(killer: str, sentence: str) -> Callable[[C], C]:
    """Put an adapter into the zoo."""

    def register(kind: C) -> C:
        home = CacheOnRedis if issubclass(kind, Broken) else UsersOnRedis
        name = f"Redis{kind.__name__}"
        mutant(killer, sentence, needs="redis")(type(name, (home,), {"adapter": kind, "__module__": kind.__module__}))
        return kind

    return register


@broken("C-021", "pop is GET, then DEL")
class PopsInTwoSteps(Broken):
    async def pop(self, key: str, /) -> str | None:
        value = await self.get(key)
        await self.delete(key)
        return value


@broken("C-025", "pop gives what GET read if DEL removed something, whatever that was")
class PopsWhatIsThere(Broken):
    async def pop(self, key: str, /) -> str | None:
        value = await self.get(key)
        return value if value is not None and await self.delete(key) else None


@broken("C-051", "increment is INCRBY, then PEXPIRE after the first")
class CountsThenExpires(Broken):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        return [await self._count(key, by, ttl) for key in _checked(keys, by, ttl)]

    async def _count(self, key: str, by: int, ttl: timedelta) -> int:
        new = await self._server.ask("EXISTS", self._name(key)) == 0
        count = int(await self._server.ask("INCRBY", self._name(key), by))
        if new:
            await self._server.ask("PEXPIRE", self._name(key), self._milliseconds(ttl))
        return count


@broken("C-013", "increment is INCRBY and PEXPIRE in one transaction, each time")
class ExpiresAtEachCount(Broken):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        counts = await super().increment_many(keys, by=by, ttl=ttl)
        for key in keys:
            await self._server.ask("PEXPIRE", self._name(key), self._milliseconds(ttl))
        return counts


@broken("C-012", "increment is INCRBY, and forgets the lifetime")
class CountsForEver(Broken):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        return [int(await self._server.ask("INCRBY", self._name(key), by)) for key in _checked(keys, by, ttl)]


@broken("C-023", "increment is GET, a sum, then SET")
class CountsInThreeSteps(Broken):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        return [await self._count(key, by, ttl) for key in _checked(keys, by, ttl)]

    async def _count(self, key: str, by: int, ttl: timedelta) -> int:
        before = await self.get(key)
        if before is None:
            await self.set(key, str(by), ttl=ttl)
            return by
        number = checks.number(before)
        if number is None:
            return await self.increment(key, by=by, ttl=ttl)
        checks.check_step(number + by)
        await self._server.ask("SET", self._name(key), number + by, "KEEPTTL")
        return number + by


class OwnScript(Broken):
    """Counts by a script of its own."""

    script: ClassVar[Script]

    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        names = self._names(_checked(keys, by, ttl))
        command = self.script(names, by, self._milliseconds(ttl))
        if not names:
            return []
        return [int(count) for count in (await self._server._replies([command], self.script))[0]]


@broken("C-031", "the script adds up in Lua, whose numbers are doubles")
class AddsUpInLua(OwnScript):
    script = Script("""
local counts = {}
for position, key in ipairs(KEYS) do
    local before = redis.call('GET', key)
    if before and not string.match(before, '^-?%d+$') then return redis.error_reply('not an integer') end
    if before == '9223372036854775807' then return redis.error_reply('overflow') end
    local count = string.format('%.0f', (before or 0) + ARGV[1])
    if before then redis.call('SET', key, count, 'KEEPTTL') else redis.call('SET', key, count, 'PX', ARGV[2]) end
    counts[position] = count
end
return counts
""")


@broken("C-031", "the script is exact, and hands its count to Lua as a number")
class AnswersInDoubles(OwnScript):
    script = Script("""
local counts = {}
for position, key in ipairs(KEYS) do
    local new = redis.call('EXISTS', key) == 0
    counts[position] = redis.call('INCRBY', key, ARGV[1])
    if new then redis.call('PEXPIRE', key, ARGV[2]) end
end
return counts
""")


@broken("C-032", "a value that is no integer is taken for zero")
class StartsOverAtText(Broken):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        try:
            return await super().increment_many(keys, by=by, ttl=ttl)
        except InvalidValue as error:
            if not isinstance(error.__cause__, ResponseError):
                raise
            for key in keys:
                await self.set(key, str(by), ttl=ttl)
            return [by for _ in keys]


@broken("C-036", "a key that is given twice counts once")
class CountsDuplicatesOnce(Broken):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        counted = list(dict.fromkeys(_checked(keys, by, ttl)))
        counts = dict(zip(counted, await super().increment_many(counted, by=by, ttl=ttl), strict=True))
        return [counts[key] for key in keys]


@broken("C-022", "add is EXISTS, then SET")
class LooksBeforeItAdds(Broken):
    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        checks.check_entry([key], value=value, ttl=ttl)
        if await self._server.ask("EXISTS", self._name(key)):
            return False
        await self.set(key, value, ttl=ttl)
        return True


@broken("C-051", "add is SETNX, then PEXPIRE")
class AddsThenExpires(Broken):
    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        checks.check_entry([key], value=value, ttl=ttl)
        added = await self._server.ask("SETNX", self._name(key), value.encode())
        if added:
            await self._server.ask("PEXPIRE", self._name(key), self._milliseconds(ttl))
        return bool(added)


@broken("C-052", "set is SET, then PEXPIRE")
class SetsThenExpires(Broken):
    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        checks.check_entry([key], value=value, ttl=ttl)
        await self._server.ask("SET", self._name(key), value.encode())
        await self._server.ask("PEXPIRE", self._name(key), self._milliseconds(ttl))


@broken("C-010", "set is SET, and forgets the lifetime")
class SetsForEver(Broken):
    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        checks.check_entry([key], value=value, ttl=ttl)
        await self._server.ask("SET", self._name(key), value.encode())


@broken("C-011", "add is SET NX, and forgets the lifetime")
class AddsForEver(Broken):
    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        checks.check_entry([key], value=value, ttl=ttl)
        return bool(await self._server.ask("SET", self._name(key), value.encode(), "NX"))


@broken("C-015", "an add that fails renews the lifetime of what is there")
class RenewsAtFailedAdd(Broken):
    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        added = await super().add(key, value, ttl=ttl)
        await self._server.ask("PEXPIRE", self._name(key), self._milliseconds(ttl))
        return added


@broken("C-016", "lifetimes are EX, in whole seconds")
class KeepsWholeSeconds(Broken):
    def _milliseconds(self, ttl: timedelta) -> int:
        return 1000 * max(1, round(ttl.total_seconds()))


@broken("C-010", "seconds are given where PX takes milliseconds")
class TakesSecondsForMilliseconds(Broken):
    def _milliseconds(self, ttl: timedelta) -> int:
        return max(1, round(ttl.total_seconds()))


@broken("C-003", "set keeps the lifetime of what was there")
class KeepsOldLifetime(Broken):
    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        checks.check_entry([key], value=value, ttl=ttl)
        if not await self._server.ask("SET", self._name(key), value.encode(), "XX", "KEEPTTL"):
            await super().set(key, value, ttl=ttl)


@broken("C-019", "reading renews the lifetime, as sessions do")
class SlidesAtReading(Broken):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        values = await super().get_many(keys)
        for name in self._names(keys):
            await self._server.ask("PEXPIRE", name, 60_000)
        return values


@broken("C-030", "delete does not look at what DEL answers")
class AlwaysDeletes(Broken):
    async def delete(self, key: str, /) -> bool:
        await super().delete(key)
        return True


@broken("C-005", "absent keys are left out of the answer")
class LeavesAbsentOut(Broken):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        return [value for value in await super().get_many(keys) if value is not None]

    async def get(self, key: str, /) -> str | None:
        return next(iter(await self.get_many([key])), None)


@broken("C-002", "values are stripped")
class StripsValues(Broken):
    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        checks.check_entry([key], value=value, ttl=ttl)
        await super().set(key, value.strip(), ttl=ttl)


@broken("C-004", "only the first 128 characters of a key count")
class CutsKeys(Broken):
    def _name(self, key: str) -> bytes:
        return super()._name(key[:128])


class JoinsByColon(Broken):
    def _name(self, key: str) -> bytes:
        return f"{self._prefix[:-1]}:{key}".encode()


@mutant("C-006", "prefix and key are joined by a colon, which both may hold", needs="redis")
class RedisJoinsByColon(CacheOnRedis):
    patterns = ("{}:*",)
    adapter = JoinsByColon


@broken("C-040", "what was read once is remembered in the handle")
class Remembers(Broken):
    def __init__(self, client: Any, *, prefix: str) -> None:
        super().__init__(client, prefix=prefix)
        self._remembered: dict[str, str] = {}

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        values = await super().get_many(keys)
        found = {key: value for key, value in zip(keys, values, strict=True) if value is not None}
        self._remembered = found | self._remembered
        return [self._remembered.get(key) for key in keys]


class AcrossSlots(Broken):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        checks.check_entry(keys)
        values = await self._server.ask("MGET", *self._names(keys)) if keys else []
        return [None if value is None else value.decode() for value in values]


@mutant("C-005", "MGET takes keys of several slots, which a cluster refuses", needs="redis")
class RedisClusterAcrossSlots(CacheOnRedis):
    kind = "redis-cluster"
    adapter = AcrossSlots


@broken("U-020", "the user is put in its place, then the keys are claimed one by one")
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


@broken("U-012", "the parts of a key are joined by a colon, which each may hold")
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


def _checked(keys: Sequence[str], by: int, ttl: timedelta) -> Sequence[str]:
    checks.check_entry(keys, ttl=ttl)
    checks.check_step(by)
    return keys
