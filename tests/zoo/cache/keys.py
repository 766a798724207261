"""Keys that a cache mistakes, and answers in the wrong place."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from authx_core.ports import Clock
from zoo.machinery.registry import mutant
from zoo.machinery.small_cache import Entries, Keys


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


@mutant("C-030", "deleting an empty value claims that none was there")
class EmptyNotDeleted(Keys):
    async def delete(self, key: str, /) -> bool:
        there = bool(self.read(key)) if isinstance(key, str) else False
        return await super().delete(key) and there
