"""Caches on Redis with one wrong lifetime each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from authx_core.domain import checks
from zoo.servers.on_redis import Broken, broken


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


@broken("C-010", "set is SET without a lifetime")
class SetsForEver(Broken):
    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        checks.check_entry([key], value=value, ttl=ttl)
        await self._server.ask("SET", self._name(key), value.encode())


@broken("C-011", "add is SET NX without a lifetime")
class AddsForEver(Broken):
    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        checks.check_entry([key], value=value, ttl=ttl)
        return bool(await self._server.ask("SET", self._name(key), value.encode(), "NX"))


@broken("C-015", "a failed add renews the entry's lifetime")
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


@broken("C-003", "set keeps the old lifetime")
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
