"""Caches on Redis with one fault each in their counters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from redis.exceptions import ResponseError

from authx_adapters.redis.server import Script
from authx_core.domain import InvalidValue, checks
from zoo.servers.on_redis import Broken, broken


@broken("C-051", "increment is INCRBY, then PEXPIRE after the first")
class CountsThenExpires(Broken):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        return [await self._count(key, by, ttl) for key in checked(keys, by, ttl)]

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


@broken("C-012", "increment is INCRBY without a lifetime")
class CountsForEver(Broken):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        return [int(await self._server.ask("INCRBY", self._name(key), by)) for key in checked(keys, by, ttl)]


@broken("C-023", "increment is GET, a sum, then SET")
class CountsInThreeSteps(Broken):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        return [await self._count(key, by, ttl) for key in checked(keys, by, ttl)]

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
        names = self._names(checked(keys, by, ttl))
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


@broken("C-031", "the script is exact, but its counts pass through Lua as doubles")
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
        counted = list(dict.fromkeys(checked(keys, by, ttl)))
        counts = dict(zip(counted, await super().increment_many(counted, by=by, ttl=ttl), strict=True))
        return [counts[key] for key in keys]


def checked(keys: Sequence[str], by: int, ttl: timedelta) -> Sequence[str]:
    checks.check_entry(keys, ttl=ttl)
    checks.check_step(by)
    return keys
