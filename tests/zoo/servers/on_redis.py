"""Caches on Redis with one fault each, mostly the command that comes to mind first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from authx_adapters.redis import RedisCache
from authx_contract import SteppedClock
from authx_core.domain import checks
from authx_core.ports import Cache, UserStore
from zoo.machinery.lent import OnRedis
from zoo.machinery.registry import C, mutant


class Broken(RedisCache):
    """The project's cache; a mutant may use its client and names."""

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


@broken("C-025", "pop returns the value that GET read if DEL removed any value")
class PopsWhatIsThere(Broken):
    async def pop(self, key: str, /) -> str | None:
        value = await self.get(key)
        return value if value is not None and await self.delete(key) else None


@broken("C-022", "add is EXISTS, then SET")
class LooksBeforeItAdds(Broken):
    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        checks.check_entry([key], value=value, ttl=ttl)
        if await self._server.ask("EXISTS", self._name(key)):
            return False
        await self.set(key, value, ttl=ttl)
        return True


@broken("C-030", "delete ignores the reply of DEL")
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


@mutant("C-006", "prefix and key are joined by a colon, which both may contain", needs="redis")
class RedisJoinsByColon(CacheOnRedis):
    patterns = ("{}:*",)
    adapter = JoinsByColon


@broken("C-040", "each handle remembers the values that it has read")
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
