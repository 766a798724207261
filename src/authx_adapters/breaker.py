"""A circuit breaker: if a cache does not answer, it is not asked again for a second.

Without a breaker, every call of a login waits for the same silent cache. With it, the first call that times out opens
the circuit, and the next ones fail at once. After a second, one call probes the cache while the others still fail at
once. If the probe succeeds, the circuit closes. (Michael Nygard, *Release It!*, chapter 5.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from threading import Lock
from typing import Any, Final, TypeVar

from authx_adapters.common.forks import forkable
from authx_adapters.common.timeouts import seconds
from authx_core.domain import CacheUnavailable
from authx_core.ports import Cache

_T = TypeVar("_T")
_SECOND: Final = timedelta(seconds=1)


class CircuitBreaker(Cache):
    """A cache behind a circuit breaker, for blocking and asynchronous callers, from any number of threads and tasks.

    A call that ends in `CacheUnavailable` opens the circuit, unless the engine answered (``error.answered``): an engine
    that refuses a command is alive. A call that began before the circuit was last closed cannot open it again.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        pause: timedelta | float = _SECOND,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Protect the callers of ``cache``. ``pause`` is the time between two probes, measured by ``monotonic``.

        Raises `InvalidValue` for an impossible pause.
        """
        self._cache = cache
        self._circuit = _Circuit(seconds(pause, "pause"), monotonic)

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        """Return the values in the order of the keys."""
        return await self._circuit.through(self._cache.get_many, keys)

    async def get(self, key: str, /) -> str | None:
        """Return the value of one key."""
        return await self._circuit.through(self._cache.get, key)

    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        """Keep a value in place of any other."""
        await self._circuit.through(self._cache.set, key, value, ttl=ttl)

    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        """Keep a value only if the key is absent."""
        return await self._circuit.through(self._cache.add, key, value, ttl=ttl)

    async def pop(self, key: str, /) -> str | None:
        """Return a value and remove it."""
        return await self._circuit.through(self._cache.pop, key)

    async def delete(self, key: str, /) -> bool:
        """Remove a key. Return True if a live one was removed."""
        return await self._circuit.through(self._cache.delete, key)

    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        """Add to each counter, in order."""
        return await self._circuit.through(self._cache.increment_many, keys, by=by, ttl=ttl)

    async def increment(self, key: str, /, *, by: int = 1, ttl: timedelta) -> int:
        """Add to one counter."""
        return await self._circuit.through(self._cache.increment, key, by=by, ttl=ttl)


class _Circuit:
    """Closed while ``_until`` is None, otherwise open. The lock is held only for comparisons."""

    def __init__(self, pause: float, monotonic: Callable[[], float]) -> None:
        self._pause = pause
        self._monotonic = monotonic
        self._lock = forkable(Lock())
        self._until: float | None = None
        self._probing = False
        self._closings = 0

    async def through(
        self, operation: Callable[..., Coroutine[Any, Any, _T]], /, *arguments: Any, **options: Any
    ) -> _T:
        """Await an operation of the cache. Raises `CacheUnavailable` at once while the circuit is open."""
        began, probing, closings = self._enter()
        answered = failed = False
        try:
            result = await operation(*arguments, **options)
            answered = True
        except CacheUnavailable as error:
            answered, failed = error.answered, not error.answered
            raise
        else:
            return result
        finally:
            self._leave(began, closings, probing=probing, answered=answered, failed=failed)

    def _enter(self) -> tuple[float, bool, int]:
        with self._lock:
            now = self._monotonic()
            if self._until is not None:
                if self._probing or now < self._until:
                    raise CacheUnavailable("it did not answer a moment ago, and will be asked again in a second")
                self._probing = True
            return now, self._probing, self._closings

    def _leave(self, began: float, closings: int, *, probing: bool, answered: bool, failed: bool) -> None:
        with self._lock:
            if probing:
                self._probing = False
                if answered:
                    self._until = None
                    self._closings += 1
                elif failed:
                    self._until = began + self._pause  # one probe in each pause, however long a probe waits
            elif failed and closings == self._closings and self._until is None:
                self._until = self._monotonic() + self._pause
