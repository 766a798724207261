"""A correct cache on Redis by optimistic locking: WATCH, then MULTI, without a line of Lua."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from redis.exceptions import RedisError, WatchError

from authx_contract import SteppedClock
from authx_core.domain import CacheUnavailable, InvalidValue, Problem, checks
from authx_core.ports import Cache
from zoo.machinery.lent import OnRedis
from zoo.machinery.registry import correct


class WatchingCache(Cache):
    """An operation of several commands is retried until no other client came between."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client, self._prefix = client, prefix

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        checks.check_entry(keys)
        with unavailable():
            return list(await self._client.mget(self._names(keys))) if keys else []

    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        checks.check_entry([key], value=value, ttl=ttl)
        with unavailable():
            await self._client.set(self._name(key), value, px=ttl)

    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        checks.check_entry([key], value=value, ttl=ttl)
        with unavailable():
            return bool(await self._client.set(self._name(key), value, px=ttl, nx=True))

    async def pop(self, key: str, /) -> str | None:
        checks.check_entry([key])
        name = self._name(key)
        with unavailable():
            async with self._client.pipeline() as pipeline:
                while True:
                    await pipeline.watch(name)
                    value: str | None = await pipeline.get(name)
                    pipeline.multi()
                    pipeline.delete(name)
                    if await self._undisturbed(pipeline):
                        return value

    async def delete(self, key: str, /) -> bool:
        checks.check_entry([key])
        with unavailable():
            return bool(await self._client.delete(self._name(key)))

    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        checks.check_entry(keys, ttl=ttl)
        checks.check_step(by)
        if not keys:
            return []
        names = list(dict.fromkeys(self._names(keys)))
        with unavailable():
            async with self._client.pipeline() as pipeline:
                while True:
                    await pipeline.watch(*names)
                    before = dict(zip(names, await pipeline.mget(names), strict=True))
                    totals = {name: _whole(text) for name, text in before.items()}
                    counts = list[int]()
                    for name in self._names(keys):
                        totals[name] += by
                        checks.check_step(totals[name])
                        counts.append(totals[name])
                    pipeline.multi()
                    for name, total in totals.items():
                        lifetime: dict[str, Any] = {"px": ttl} if before[name] is None else {"keepttl": True}
                        pipeline.set(name, total, **lifetime)
                    if await self._undisturbed(pipeline):
                        return counts

    async def _undisturbed(self, pipeline: Any) -> bool:
        """Execute the queued commands; False if a watched key has changed."""
        try:
            await pipeline.execute()
        except WatchError:
            return False
        return True

    def _name(self, key: str) -> str:
        return f"{self._prefix}|{key}"

    def _names(self, keys: Sequence[str]) -> list[str]:
        return [self._name(key) for key in keys]


def _whole(text: str | None) -> int:
    number = checks.number(text or "0") if text != "" else None
    if number is None:
        raise InvalidValue(Problem("key", "invalid", "holds no whole number"))
    return number


@contextmanager
def unavailable() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise CacheUnavailable(type(error).__name__) from error


@correct("entries in Redis by WATCH and MULTI instead of scripts", needs="redis")
class WatchAndMulti(OnRedis):
    async def open_cache(self, _: SteppedClock, /) -> Cache:
        return WatchingCache(self.client(decode_responses=True), self.prefix)
