"""Values that a cache changes, or wrongly accepts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from authx_core.domain import InvalidValue, limits
from zoo.machinery.registry import mutant
from zoo.machinery.small_cache import Entry, Keys


@mutant("C-001", "popping an absent key raises KeyError")
class PopRaises(Keys):
    async def pop(self, key: str, /) -> str | None:
        if key == "nobody" and self.live(key) is None:
            raise KeyError(key)
        return await super().pop(key)


@mutant("C-002", "CRLF line ends become LF")
class LineEnds(Keys):
    def kept(self, value: str) -> str:
        return value.replace("\r\n", "\n")


@mutant("C-003", "a second `set` never shortens a lifetime")
class LifetimeNeverShortened(Keys):
    async def put(self, key: str, value: str, ttl: timedelta) -> None:
        before = self.live(key)
        await super().put(key, value, ttl)
        entry = self.entries.kept[self.name(key)]
        entry.deadline = max(entry.deadline, before.deadline if before is not None else entry.deadline)


@mutant("C-003", "a second `set` of a counter keeps the old lifetime")
class CounterKeepsLifetime(Keys):
    async def put(self, key: str, value: str, ttl: timedelta) -> None:
        before = self.live(key)
        await super().put(key, value, ttl)
        if before is not None and before.value.isdecimal():
            self.entries.kept[self.name(key)].deadline = before.deadline


@mutant("C-033", "keys are not checked")
class KeysUnchecked(Keys):
    def check(self, keys: Sequence[str]) -> None:
        pass


@mutant("C-033", "values of any type are stored as `str`")
class ValuesPrinted(Keys):
    def check_entry(self, key: str, value: str, ttl: timedelta) -> None:
        super().check_entry(key, str(value), ttl)

    def kept(self, value: str) -> str:
        return str(value)


@mutant("C-033", "a step of True is 1")
class TrueIsOne(Keys):
    def check_step(self, keys: Sequence[str], by: int, ttl: timedelta) -> None:
        super().check_step(keys, int(by) if isinstance(by, bool) else by, ttl)


@mutant("C-033", "only the first key is checked")
class FirstKeyChecked(Keys):
    def check(self, keys: Sequence[str]) -> None:
        super().check(keys[:1])


@mutant("C-034", "values above 1 MiB are cut instead of refused")
class CutAtMebibyte(Keys):
    def check_entry(self, key: str, value: str, ttl: timedelta) -> None:
        super().check_entry(key, value[: limits.MAX_CACHE_VALUE] if isinstance(value, str) else value, ttl)

    def kept(self, value: str) -> str:
        return value[: limits.MAX_CACHE_VALUE]


@mutant("C-034", "a value that is refused for its size is stored in part")
class LargeStoredThenRefused(Keys):
    def check_entry(self, key: str, value: str, ttl: timedelta) -> None:
        try:
            super().check_entry(key, value, ttl)
        except InvalidValue:
            if isinstance(value, str) and len(value) > limits.MAX_CACHE_VALUE:
                self.entries.kept[key] = _entry(value[:9], self, ttl)
            raise


@mutant("C-034", "values are cut at 1 MiB of bytes")
class CutInBytes(Keys):
    def kept(self, value: str) -> str:
        return value if value.isascii() else value[: 512 * 1024]


def _entry(value: str, cache: Keys, ttl: timedelta) -> Entry:
    return Entry(value, cache.deadline(ttl))
