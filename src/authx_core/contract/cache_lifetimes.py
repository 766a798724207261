"""Lifetimes, without waiting for any."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from authx_core.contract.cache_base import MINUTE, MOMENT, CacheClauses
from authx_core.contract.expect import raised, same
from authx_core.domain import InvalidValue


class CacheLifetimes(CacheClauses):
    """One caller, and time that passes. Reading may reap, so each observation has a key of its own."""

    async def test_c010_deadline(self) -> None:
        """C-010: a key is readable strictly before its deadline and gone at it, for every operation."""
        cache = await self.handle()
        operations = ("get", "get_many", "pop", "delete", "add", "increment", "increment_many")
        for name in operations:
            await cache.set(f"{name} early", "5", ttl=MINUTE)
            await cache.set(f"{name} late", "5", ttl=MINUTE)
        await self.elapse(MINUTE - MOMENT)
        same(await cache.get("get early"), "5", "get missed a live key")
        same(await cache.get_many(["get_many early"]), ["5"], "get_many missed a live key")
        same(await cache.pop("pop early"), "5", "pop missed a live key")
        same(await cache.delete("delete early"), True, "delete missed a live key")
        same(await cache.add("add early", "6", ttl=MINUTE), False, "add overwrote a live key")
        same(await cache.increment("increment early", ttl=MINUTE), 6, "increment missed a live key")
        same(await cache.increment_many(["increment_many early"], ttl=MINUTE), [6], "increment_many missed a live key")
        await self.elapse(MOMENT)
        same(await cache.get("get late"), None, "get read a key at its deadline")
        same(await cache.get_many(["get_many late"]), [None], "get_many read a key at its deadline")
        same(await cache.pop("pop late"), None, "pop gave a key at its deadline")
        same(await cache.delete("delete late"), False, "delete claimed a key at its deadline")
        same(await cache.add("add late", "6", ttl=MINUTE), True, "add failed over a key at its deadline")
        same(await cache.increment("increment late", ttl=MINUTE), 1, "increment counted on from an expired value")
        same(await cache.increment_many(["increment_many late"], ttl=MINUTE), [1], "increment_many counted on")

    async def test_c011_add_over_expired(self) -> None:
        """C-011: `add` over an expired key succeeds, with its own lifetime."""
        cache = await self.handle()
        await cache.set("key", "old", ttl=MINUTE)
        await self.elapse(MINUTE)
        same(await cache.add("key", "new", ttl=2 * MINUTE), True, "add over an expired key failed")
        same(await cache.get("key"), "new", "add over an expired key kept the old value")
        await self.gone_exactly_after(2 * MINUTE, cache, "key")

    async def test_c012_counter_restarts(self) -> None:
        """C-012: an expired counter restarts, with a lifetime of its own."""
        cache = await self.handle()
        same(await cache.increment("counter", by=3, ttl=MINUTE), 3, "a new counter does not start at 0")
        await self.elapse(MINUTE)
        same(await cache.increment("counter", by=2, ttl=2 * MINUTE), 2, "an expired counter went on counting")
        await self.gone_exactly_after(2 * MINUTE, cache, "counter")

    async def test_c013_first_call_fixes(self) -> None:
        """C-013: `increment` fixes the lifetime at its first call."""
        cache = await self.handle()
        for key in ("longer", "shorter"):
            await cache.increment(key, ttl=MINUTE)
        await self.elapse(MINUTE / 2)
        await cache.increment("longer", ttl=MINUTE)
        await cache.increment_many(["shorter", "shorter"], ttl=MOMENT)
        await self.gone_exactly_after(MINUTE / 2, cache, "longer", "shorter")

    async def test_c014_always_a_deadline(self) -> None:
        """C-014: no counter is ever without a deadline, however it came into being."""
        cache = await self.handle()
        await cache.increment("new", ttl=MINUTE)
        await cache.increment_many(["many", "twice", "twice"], ttl=MINUTE)
        await cache.set("popped", "1", ttl=MINUTE)
        await cache.pop("popped")
        await cache.increment("popped", ttl=MINUTE)
        await cache.set("deleted", "1", ttl=MINUTE)
        await cache.delete("deleted")
        await cache.increment("deleted", ttl=MINUTE)
        await cache.set("set", "1", ttl=MINUTE)
        await cache.increment("set", ttl=2 * MINUTE)
        await cache.add("added", "1", ttl=MINUTE)
        await cache.increment("added", ttl=2 * MINUTE)
        await cache.increment("zero", by=5, ttl=MINUTE)
        await cache.increment("zero", by=-5, ttl=2 * MINUTE)
        await self.gone_exactly_after(
            MINUTE, cache, "new", "many", "twice", "popped", "deleted", "set", "added", "zero"
        )

    async def test_c016_milliseconds_and_days(self) -> None:
        """C-016: lifetimes below a second and of 30 days are honoured to the millisecond."""
        cache = await self.handle()
        for ttl in (timedelta(milliseconds=2), timedelta(milliseconds=999), timedelta(days=30, milliseconds=1)):
            await cache.set("set", "value", ttl=ttl)
            await cache.add("added", "value", ttl=ttl)
            await cache.increment("counter", ttl=ttl)
            await self.gone_exactly_after(ttl, cache, "set", "added", "counter")

    async def test_c017_no_lifetime(self) -> None:
        """C-017: a lifetime ≤ 0, or one that is no timedelta, is `InvalidValue` and changes nothing."""
        cache = await self.handle()
        await cache.set("live", "5", ttl=MINUTE)
        wrong = (timedelta(0), -MOMENT, -MINUTE, timedelta.min, 60, 0.5, None, "60")
        for ttl in cast("tuple[timedelta, ...]", wrong):
            for key, value in (("live", "5"), ("absent", None)):
                await raised(InvalidValue, cache.set(key, "6", ttl=ttl), f"set took the lifetime {ttl!r}")
                await raised(InvalidValue, cache.add(key, "6", ttl=ttl), f"add took the lifetime {ttl!r}")
                await raised(InvalidValue, cache.increment(key, ttl=ttl), f"increment took the lifetime {ttl!r}")
                await raised(InvalidValue, cache.increment_many([key], ttl=ttl), f"increment_many took {ttl!r}")
                same(await cache.get(key), value, "a refused lifetime changed the value")
        await self.gone_exactly_after(MINUTE, cache, "live")

    async def test_c019_reading_never_extends(self) -> None:
        """C-019: reading never extends a lifetime."""
        cache = await self.handle()
        await cache.set("key", "value", ttl=MINUTE)
        await cache.increment("counter", ttl=MINUTE)
        for _ in range(3):
            await self.elapse(MINUTE / 4)
            await cache.get("key")
            await cache.get_many(["key", "counter", "key"])
        await self.gone_exactly_after(MINUTE / 4, cache, "key", "counter")
