"""Caches that share one server."""

from __future__ import annotations

from typing import ClassVar

from authx_contract import Capabilities, Harness, SteppedClock
from authx_core.ports import Cache
from zoo.machinery.registry import correct, mutant
from zoo.machinery.small_cache import Entries, Keys


class _Prefixed(Keys):
    prefix = ""

    def name(self, key: str) -> str:
        return self.prefix + key


class _Namespaces(Harness):
    """Handles that put a prefix before each key, over entries that all namespaces share."""

    capabilities = Capabilities(namespaced=True)
    adapter: ClassVar[type[_Prefixed]] = _Prefixed

    def prefix(self) -> str:
        return f"{len(self.namespace)}:{self.namespace}:"

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        cache = self.adapter(_shared, clock)
        cache.prefix = self.prefix()
        return cache

    async def reset(self) -> None:
        for name in [name for name in _shared.kept if name.startswith(self.prefix())]:
            del _shared.kept[name]


_shared = Entries()


@correct("prefixes that begin with their length, over entries that all namespaces share")
class Namespaces(_Namespaces):
    pass


@mutant("C-006", "prefix and key are joined by a colon, which a prefix may contain")
class JoinedPrefix(_Namespaces):
    def prefix(self) -> str:
        return f"{self.namespace}:"


class _ForgetsPrefix(_Prefixed):
    def drop(self, key: str) -> None:
        for name in [name for name in self.entries.kept if name.endswith(f":{key}")]:
            del self.entries.kept[name]


@mutant("C-006", "the prefix is forgotten when a key is deleted or popped")
class PrefixForgotten(_Namespaces):
    adapter = _ForgetsPrefix
