"""Counters that miscount."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from authx_core.domain import InvalidValue, checks
from zoo.machinery.registry import mutant
from zoo.machinery.small_cache import Keys


@mutant("C-031", "counters are doubles, as in Lua")
class FloatCounters(Keys):
    def sum(self, number: int, by: int) -> int:
        return super().sum(int(float(number)), by)


@mutant("C-031", "a negative step counts up")
class StepsUpOnly(Keys):
    def sum(self, number: int, by: int) -> int:
        return super().sum(number, abs(by))


@mutant("C-031", "a counter stops at zero")
class StopsAtZero(Keys):
    def sum(self, number: int, by: int) -> int:
        return max(0, super().sum(number, by))


@mutant("C-031", "a counter starts at 1 at least, even if its step is less")
class StartsAtOne(Keys):
    async def count(self, key: str, by: int, ttl: timedelta) -> int:
        return await super().count(key, by if self.live(key) is not None else max(1, by), ttl)


@mutant("C-031", "counters are 32 bits")
class Counters32(Keys):
    def sum(self, number: int, by: int) -> int:
        return (super().sum(number, by) + 2**31) % 2**32 - 2**31


@mutant("C-032", "text that is no integer counts as 0")
class TextIsZero(Keys):
    def whole(self, value: str) -> int:
        return checks.number(value) or 0


@mutant("C-032", "text is parsed as `int` does, with spaces, underscores and full-width digits")
class LenientInt(Keys):
    def whole(self, value: str) -> int:
        try:
            return int(value)
        except ValueError:
            return super().whole(value)


@mutant("C-032", "text is parsed as a number of any kind")
class LenientFloat(Keys):
    def whole(self, value: str) -> int:
        try:
            return int(float(value)) if "." in value else super().whole(value)
        except ValueError:
            return super().whole(value)


@mutant("C-032", "the parser's error leaves the cache untranslated")
class ParserError(Keys):
    def whole(self, value: str) -> int:
        return int(value) if checks.number(value) is None else super().whole(value)


@mutant("C-032", "a value that cannot be counted is deleted")
class RefusedIsGone(Keys):
    async def count(self, key: str, by: int, ttl: timedelta) -> int:
        try:
            return await super().count(key, by, ttl)
        except InvalidValue:
            self.drop(key)
            raise


@mutant("C-032", "counters overflow instead of being refused")
class Overflows(Keys):
    def sum(self, number: int, by: int) -> int:
        return number + by


@mutant("C-036", "duplicates count once")
class DuplicatesCountOnce(Keys):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        counts = await super().increment_many(list(dict.fromkeys(keys)), by=by, ttl=ttl)
        return [counts[list(dict.fromkeys(keys)).index(key)] for key in keys]


@mutant("C-036", "an empty list of keys raises the driver's error")
class NothingToCount(Keys):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        if not keys:
            raise ValueError("wrong number of arguments for 'eval' command")
        return await super().increment_many(keys, by=by, ttl=ttl)


@mutant("C-036", "each place of a duplicate key gets the last count")
class LastCountForAll(Keys):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        counts = dict(zip(keys, await super().increment_many(keys, by=by, ttl=ttl), strict=True))
        return [counts[key] for key in keys]


@mutant("C-036", "the step applies to the first counter, 1 to the others")
class StepOnlyFirst(Keys):
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        first = await super().increment_many(keys[:1], by=by, ttl=ttl)
        return first + await super().increment_many(keys[1:], ttl=ttl)
