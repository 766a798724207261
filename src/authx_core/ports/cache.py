"""The port for counters and short-lived values."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol, runtime_checkable


@runtime_checkable
class Cache(Protocol):
    """Keeps text and counters, each for a lifetime: readable strictly before its deadline, gone at it.

    Lifetimes have millisecond resolution; one ≤ 0 is `InvalidValue`. Every method may raise `CacheUnavailable`
    when the engine cannot be reached or times out, and `InvalidValue` for a value that no port takes.
    """

    @abstractmethod
    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        """Return the values in the order of the keys, None for an absent one."""

    async def get(self, key: str, /) -> str | None:
        """Return the value of one key, or None."""
        return (await self.get_many([key]))[0]

    @abstractmethod
    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        """Keep a value for a lifetime, replacing both."""

    @abstractmethod
    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        """Keep a value only if the key is absent. True for exactly one of several concurrent callers."""

    @abstractmethod
    async def pop(self, key: str, /) -> str | None:
        """Read once, then gone: exactly one of several concurrent callers gets the value."""

    @abstractmethod
    async def delete(self, key: str, /) -> bool:
        """Remove a key. True exactly if it was live."""

    @abstractmethod
    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        """Add to each counter and return the results in order; atomic for each key.

        The lifetime is set when a counter is created, and later increments do not move it.
        Raises `InvalidValue` for a value that is not an integer, and leaves it as it is.
        """

    async def increment(self, key: str, /, *, by: int = 1, ttl: timedelta) -> int:
        """Add to one counter and return the result."""
        return (await self.increment_many([key], by=by, ttl=ttl))[0]
