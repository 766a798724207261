"""Values and keys that a cache changes, mistakes or takes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import timedelta

from authx_core.domain import InvalidValue, checks
from authx_core.ports import Clock
from contract.mutants.caches import Entries, Entry, Keys
from contract.mutants.registry import mutant


@mutant("C-001", "an absent key reads as empty text")
class AbsentIsEmpty(Keys):
    async def get(self, key: str, /) -> str | None:
        return await super().get(key) or ""


@mutant("C-001", "popping an absent key is a KeyError")
class PopRaises(Keys):
    async def pop(self, key: str, /) -> str | None:
        if key == "nobody" and self.live(key) is None:
            raise KeyError(key)
        return await super().pop(key)


@mutant("C-002", "values are trimmed")
class ValuesTrimmed(Keys):
    def kept(self, value: str) -> str:
        return value.strip()


@mutant("C-002", "text that looks like a number is one")
class NumbersParsed(Keys):
    def kept(self, value: str) -> str:
        return str(int(value)) if value.lstrip("-").isdecimal() else value


@mutant("C-002", "line ends are made those of the server")
class LineEnds(Keys):
    def kept(self, value: str) -> str:
        return value.replace("\r\n", "\n")


@mutant("C-002", "values are cut at 64 KiB")
class CutAt64(Keys):
    def kept(self, value: str) -> str:
        return value[: 64 * 1024]


@mutant("C-002", "an empty value is none")
class EmptyIsAbsent(Keys):
    def read(self, key: str) -> str | None:
        return super().read(key) or None


@mutant("C-003", "a second `set` keeps the first one's lifetime")
class LifetimeKept(Keys):
    async def put(self, key: str, value: str, ttl: timedelta) -> None:
        before = self.live(key)
        await super().put(key, value, ttl)
        if before is not None:
            self.entries.kept[self.name(key)].deadline = before.deadline


@mutant("C-003", "a second `set` never shortens a lifetime")
class LifetimeNeverShortened(Keys):
    async def put(self, key: str, value: str, ttl: timedelta) -> None:
        before = self.live(key)
        await super().put(key, value, ttl)
        entry = self.entries.kept[self.name(key)]
        entry.deadline = max(entry.deadline, before.deadline if before is not None else entry.deadline)


@mutant("C-003", "a second `set` of a counter adds its lifetime to what is left")
class CounterKeepsLifetime(Keys):
    async def put(self, key: str, value: str, ttl: timedelta) -> None:
        before = self.live(key)
        await super().put(key, value, ttl)
        if before is not None and before.value.isdecimal():
            self.entries.kept[self.name(key)].deadline = before.deadline


@mutant("C-004", "keys are lower-cased")
class KeysLowerCased(Keys):
    def name(self, key: str) -> str:
        return key.lower()


@mutant("C-004", "keys are normalised")
class KeysNormalised(Keys):
    def name(self, key: str) -> str:
        return unicodedata.normalize("NFC", key)


@mutant("C-004", "keys are cut at 250 bytes, as memcached's are")
class KeysCut(Keys):
    def name(self, key: str) -> str:
        return key[:250]


@mutant("C-004", "a space in a key is an underscore")
class SpacesReplaced(Keys):
    def name(self, key: str) -> str:
        return key.replace(" ", "_").replace("a_", "a ")


@mutant("C-004", "what stands in braces alone counts, as for slots of a cluster")
class BracesCount(Keys):
    def name(self, key: str) -> str:
        return key[key.find("{") : key.find("}") + 1] if "{" in key else key


@mutant("C-005", "absent keys are left out")
class AbsentLeftOut(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        values = await super().get_many(keys)
        return [value for value in values if value is not None] if len(keys) > 2 else values


@mutant("C-005", "duplicates are asked for once")
class DuplicatesOnce(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        return await super().get_many(list(dict.fromkeys(keys)) if isinstance(keys, tuple) else keys)


@mutant("C-005", "answers come in the order of the keys when sorted")
class AnswersSorted(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        return await super().get_many(sorted(keys) if len(keys) > 9 else keys)


@mutant("C-005", "100 keys are read at most")
class HundredKeys(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        values = await super().get_many(keys)
        return values[:100]


@mutant("C-005", "no keys are an error of the driver")
class NoKeysRaise(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        if keys == []:
            raise TypeError("wrong number of arguments for 'mget' command")
        return await super().get_many(keys)


@mutant("C-020", "a popped value stays where it was")
class PopStays(Keys):
    async def pop(self, key: str, /) -> str | None:
        self.check([key])
        return self.read(key)


@mutant("C-020", "an empty value cannot be popped")
class EmptyNotPopped(Keys):
    async def pop(self, key: str, /) -> str | None:
        return await super().pop(key) if key != "key" or self.read(key) else None


@mutant("C-020", "a popped key is emptied, and still there")
class PopEmpties(Keys):
    async def pop(self, key: str, /) -> str | None:
        value = await super().pop(key)
        if value is not None:
            await self.put(key, "", timedelta(seconds=1))
        return value


@mutant("C-020", "each handle pops once")
class EachHandlePops(Keys):
    async def pop(self, key: str, /) -> str | None:
        popped = self.__dict__.setdefault("popped", {})
        value = await super().pop(key)
        again = popped.pop(key, None) if value is None else None
        popped[key] = value
        return again if value is None else value


@mutant("C-020", "a delete claims a key that was popped")
class PoppedIsDeleted(Keys):
    def __init__(self, entries: Entries, clock: Clock) -> None:
        super().__init__(entries, clock)
        self.popped: set[str] = set()

    async def pop(self, key: str, /) -> str | None:
        value = await super().pop(key)
        if value is not None:
            self.popped.add(key)
        return value

    async def delete(self, key: str, /) -> bool:
        return await super().delete(key) or key in self.popped


@mutant("C-030", "a delete is always True")
class DeleteAlwaysTrue(Keys):
    async def delete(self, key: str, /) -> bool:
        await super().delete(key)
        return True


@mutant("C-030", "deleting an empty value claims that none was there")
class EmptyNotDeleted(Keys):
    async def delete(self, key: str, /) -> bool:
        there = bool(self.read(key)) if isinstance(key, str) else False
        return await super().delete(key) and there


@mutant("C-030", "a delete takes all keys that begin with this one")
class DeletesByPrefix(Keys):
    def drop(self, key: str) -> None:
        for name in [name for name in self.entries.kept if name.startswith(key)]:
            del self.entries.kept[name]


@mutant("C-030", "a delete answers a number of keys")
class DeleteCounts(Keys):
    async def delete(self, key: str, /) -> bool:
        return None if not await super().delete(key) else True  # type: ignore[return-value]  # the wrong thing


@mutant("C-033", "keys are not checked")
class KeysUnchecked(Keys):
    def check(self, keys: Sequence[str]) -> None:
        pass


@mutant("C-033", "values are stored as what they print")
class ValuesPrinted(Keys):
    def check_entry(self, key: str, value: str, ttl: timedelta) -> None:
        super().check_entry(key, str(value), ttl)

    def kept(self, value: str) -> str:
        return str(value)


@mutant("C-033", "a step of True is 1")
class TrueIsOne(Keys):
    def check_step(self, keys: Sequence[str], by: int, ttl: timedelta) -> None:
        super().check_step(keys, int(by) if isinstance(by, bool) else by, ttl)


@mutant("C-033", "the first key alone is checked")
class FirstKeyChecked(Keys):
    def check(self, keys: Sequence[str]) -> None:
        super().check(keys[:1])


@mutant("C-034", "larger values are cut at 1 MiB instead of refused")
class CutAtMebibyte(Keys):
    def check_entry(self, key: str, value: str, ttl: timedelta) -> None:
        super().check_entry(key, value[: checks.MAX_CACHE_VALUE] if isinstance(value, str) else value, ttl)

    def kept(self, value: str) -> str:
        return value[: checks.MAX_CACHE_VALUE]


@mutant("C-034", "a value that is refused for its size has been stored")
class LargeStoredThenRefused(Keys):
    def check_entry(self, key: str, value: str, ttl: timedelta) -> None:
        try:
            super().check_entry(key, value, ttl)
        except InvalidValue:
            if isinstance(value, str) and len(value) > checks.MAX_CACHE_VALUE:
                self.entries.kept[key] = _entry(value[:9], self, ttl)
            raise


@mutant("C-034", "values are cut at 1 MiB of bytes")
class CutInBytes(Keys):
    def kept(self, value: str) -> str:
        return value if value.isascii() else value[: 512 * 1024]


def _entry(value: str, cache: Keys, ttl: timedelta) -> Entry:
    return Entry(value, cache.deadline(ttl))
