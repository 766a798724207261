"""Keys that a cache confuses, and answers in the wrong order."""

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


@mutant("C-004", "a space in a key becomes an underscore")
class SpacesReplaced(Keys):
    def name(self, key: str) -> str:
        return key.replace(" ", "_").replace("a_", "a ")


@mutant("C-004", "only the part of a key in braces counts, as for slots of a cluster")
class BracesCount(Keys):
    def name(self, key: str) -> str:
        return key[key.find("{") : key.find("}") + 1] if "{" in key else key


@mutant("C-005", "a duplicate key gets one answer")
class DuplicatesOnce(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        return await super().get_many(list(dict.fromkeys(keys)) if isinstance(keys, tuple) else keys)


@mutant("C-005", "answers come in the order of the sorted keys")
class AnswersSorted(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        return await super().get_many(sorted(keys) if len(keys) > 9 else keys)


@mutant("C-005", "at most 100 keys are read")
class HundredKeys(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        values = await super().get_many(keys)
        return values[:100]


@mutant("C-005", "an empty list of keys raises the driver's error")
class NoKeysRaise(Keys):
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        if keys == []:
            raise TypeError("wrong number of arguments for 'mget' command")
        return await super().get_many(keys)


@mutant("C-020", "deleting a popped key returns True")
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


@mutant("C-030", "deleting an empty value returns False")
class EmptyNotDeleted(Keys):
    async def delete(self, key: str, /) -> bool:
        there = bool(self.read(key)) if isinstance(key, str) else False
        return await super().delete(key) and there
