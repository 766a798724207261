"""The arguments of `connect` and the other three functions, and how a facade is opened with them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TypedDict, TypeVar

import attrs

from authx_adapters import extras
from authx_adapters.breaker import CircuitBreaker
from authx_adapters.clock import SystemClock
from authx_adapters.common.address import scheme
from authx_adapters.common.opening import Opening
from authx_adapters.common.timeouts import seconds
from authx_core import Cache, Callback, Clock, PasswordHasher, Policy, UsersRepo, UserStore
from authx_core.domain.secret import Secret
from authx_core.repo.base import ACCESS_EXPIRATION

_R = TypeVar("_R", bound=UsersRepo)


def _timeout(given: float | timedelta) -> float:
    return seconds(given, "timeout")


def _cache_timeout(given: float | timedelta) -> float:
    return seconds(given, "cache_timeout")


class Options(TypedDict, total=False):
    """The options of `connect` and the other three functions; `connect` explains them."""

    cache_url: str | Secret
    callbacks: Iterable[Callback]
    access_expiration: float | timedelta
    clock: Clock
    hasher: PasswordHasher
    policy: Policy
    timeout: float | timedelta
    cache_timeout: float | timedelta


@attrs.frozen(kw_only=True)
class Recipe:
    """The arguments of `connect`, checked."""

    url: Secret = attrs.field(converter=Secret)
    cache_url: Secret = attrs.field(converter=Secret)
    callbacks: Iterable[Callback] = ()
    access_expiration: float | timedelta = ACCESS_EXPIRATION
    clock: Clock = attrs.field(factory=SystemClock)
    hasher: PasswordHasher | None = None
    policy: Policy | None = None
    timeout: float = attrs.field(default=5.0, converter=_timeout)
    cache_timeout: float = attrs.field(default=0.5, converter=_cache_timeout)

    async def open(self, repo: type[_R], *, blocking: bool) -> _R:
        """Open a facade. Its `aclose` closes every client that was opened for it."""
        async with AsyncExitStack() as stack:
            opening = Opening(blocking, self.clock, max(self.timeout, self.cache_timeout), stack)
            store, cache = await self._adapters(opening)
            users = repo(
                store,
                cache,
                self.callbacks,
                self.access_expiration,
                clock=self.clock,
                hasher=self.hasher or extras.hasher(opening, self.timeout),
                policy=self.policy,
            )
            users.closing = stack.pop_all().aclose
        return users

    async def _adapters(self, opening: Opening) -> tuple[UserStore, Cache]:
        """Open the store and the cache, on one client if their URLs are equal."""
        users = extras.opener(self.url, "url", opening)
        store = await users.store(self.timeout)
        entries = users if self.cache_url == self.url else extras.opener(self.cache_url, "cache_url", opening)
        cache = await entries.cache(self.cache_timeout)
        if scheme(self.cache_url) == "memory":
            return store, cache
        return store, CircuitBreaker(cache)  # so that a login waits once for a cache that does not answer
