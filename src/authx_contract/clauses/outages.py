"""A backend that is down, and up again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from authx_contract.blocking import NeverSuspends
from authx_contract.clause import clause
from authx_contract.clauses._caches import MINUTE
from authx_contract.clauses._users import EVERYBODY, full_user
from authx_contract.expect import same, same_user
from authx_contract.threads import in_thread
from authx_contract.trial import Trial
from authx_contract.violation import Violation
from authx_core.blocking import run
from authx_core.domain import CacheUnavailable, PortUnavailable, StoreUnavailable

_IN_TIME: Final = 10.0
"""Seconds within which a caller is told that the backend is down; an application has given up by then."""
_AGAIN: Final = 15.0
"""Seconds within which a handle finds a backend that is up again."""

Operations = Mapping[str, Callable[[], Coroutine[Any, Any, object]]]


@clause(
    "U-084",
    level=3,
    kind="process",
    needs=["outage"],
    means="While the database is down every request hangs or shows an error page; afterwards, until a restart too.",
    cause="A driver without a timeout; its own error leaves the adapter; a broken connection stays in the pool.",
)
async def users_down(trial: Trial) -> None:
    """A backend that is down is `StoreUnavailable` in time, and the same handle works afterwards."""
    store = await trial.users()
    ann = await store.create(full_user("ann"))
    operations: Operations = {
        "get": lambda: store.get(ann.id),
        "get_by_email": lambda: store.get_by_email("ann@example.com"),
        "get_by_username": lambda: store.get_by_username("ann"),
        "get_by_social": lambda: store.get_by_social("github", "ann-2"),
        "search": lambda: store.search(EVERYBODY, limit=10),
        "count": lambda: store.count(EVERYBODY),
        "create": lambda: store.create(full_user("bob")),
        "update": lambda: store.update(ann.id, {"active": True}),
        "delete": lambda: store.delete(ann.id),
        "get_blackout": store.get_blackout,
        "set_blackout": lambda: store.set_blackout(ann.created_at),
    }
    await _down(trial, operations, StoreUnavailable, in_threads=isinstance(store, NeverSuspends))
    await _back(lambda: store.get(ann.id))
    same_user(await store.get(ann.id), ann, "a user is not the same after an outage")
    bob = await store.create(full_user("bob"))
    same(await store.count(EVERYBODY), 2, "what was refused during an outage was stored after all")
    same(await store.delete(bob.id), True, "the handle does not work as before")


@clause(
    "C-053",
    level=3,
    kind="process",
    needs=["outage"],
    means="While the cache is down every request hangs or shows an error page; afterwards, until a restart too.",
    cause="A driver without a timeout; its own error leaves the adapter; a broken connection stays in the pool.",
)
async def cache_down(trial: Trial) -> None:
    """A backend that is down is `CacheUnavailable` in time, and the same handle works afterwards."""
    cache = await trial.cache()
    await cache.set("key", "value", ttl=MINUTE)
    operations: Operations = {
        "get": lambda: cache.get("key"),
        "get_many": lambda: cache.get_many(["key", "other"]),
        "set": lambda: cache.set("key", "other", ttl=MINUTE),
        "add": lambda: cache.add("other", "value", ttl=MINUTE),
        "pop": lambda: cache.pop("key"),
        "delete": lambda: cache.delete("key"),
        "increment": lambda: cache.increment("counter", ttl=MINUTE),
        "increment_many": lambda: cache.increment_many(["counter", "counter"], ttl=MINUTE),
    }
    await _down(trial, operations, CacheUnavailable, in_threads=isinstance(cache, NeverSuspends))
    await _back(lambda: cache.get("key"))
    await cache.set("key", "new", ttl=MINUTE)
    same(await cache.pop("key"), "new", "the handle does not work as before")
    same(await cache.increment("again", ttl=MINUTE), 1, "the handle does not count as before")


async def _down(trial: Trial, operations: Operations, error: type[PortUnavailable], *, in_threads: bool) -> None:
    """Check what every operation raises while the backend is down; bring it up again whatever happens."""
    await trial.harness.stop_backend()
    try:
        for name, operate in operations.items():
            call = _on_a_thread(operate) if in_threads else operate()
            await _refused(name, call, error)
    finally:
        await trial.harness.start_backend()


def _on_a_thread(operate: Callable[[], Coroutine[Any, Any, object]]) -> Coroutine[Any, Any, object]:
    return in_thread(lambda: run(operate()))


async def _refused(name: str, call: Coroutine[Any, Any, object], error: type[PortUnavailable]) -> None:
    try:
        async with asyncio.timeout(_IN_TIME):
            result = await call
    except error:
        return
    except TimeoutError:
        raise Violation(f"{name} did not say within {_IN_TIME:.0f} seconds that the backend is down") from None
    except Exception as other:
        told = f"{type(other).__name__}: {other}"
        raise Violation(f"{name} of a backend that is down", expected=error.__name__, raised=told) from other
    raise Violation(f"{name} of a backend that is down", expected=error.__name__, returned=result)


async def _back(operate: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Wait until a handle works again: each connection that broke may be found out by a call of its own."""
    end = time.monotonic() + _AGAIN
    while True:
        try:
            await operate()
        except PortUnavailable as error:
            if time.monotonic() > end:
                raise Violation("the handle does not find the backend that is up again", raised=str(error)) from error
            await asyncio.sleep(0.1)
        else:
            return
