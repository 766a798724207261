"""Blocking ports for an event loop: one hop to a thread for each call."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import BoundedSemaphore
from typing import Any, TypeVar

from authx_core import Cache, Overloaded, PasswordHasher, Suspended, UserStore, run

_Port = TypeVar("_Port", UserStore, Cache, PasswordHasher)


def Threaded(port: _Port, *, workers: int = 4, queue: int = 1000) -> _Port:  # noqa: N802 - it makes a port, as a class does
    """Serve a blocking store, cache or hasher to an event loop from ``workers`` threads.

    At most ``queue`` calls wait; one more is refused as `Overloaded`, so that memory stays bounded. A caller that is
    cancelled takes its waiting call along; a running one ends in its thread and harms nobody. Needs asyncio.
    """
    kind = next(kind for kind in (UserStore, Cache, PasswordHasher) if isinstance(port, kind))
    threads = _Threads(workers, queue)
    operations = {name: _hop(getattr(port, name), threads) for name in _operations(kind)}
    served: _Port = type(f"Threaded{kind.__name__}", (kind,), operations)()
    return served


class _Threads:
    """A pool whose queue is bounded."""

    def __init__(self, workers: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="authx")
        self._room = BoundedSemaphore(workers + queue)

    async def call(self, operation: Callable[[], Any]) -> Any:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise Suspended from None
        if not self._room.acquire(blocking=False):
            raise Overloaded("the queue for a thread is full")
        future = self._pool.submit(operation)
        future.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(future, loop=loop)


def _operations(kind: type) -> list[str]:
    return [name for name, _ in inspect.getmembers(kind, inspect.iscoroutinefunction) if name[0] != "_"]


def _hop(operation: Callable[..., Coroutine[Any, Any, Any]], threads: _Threads) -> Callable[..., Any]:
    async def call(_: object, /, *args: Any, **options: Any) -> Any:
        coroutine = operation(*args, **options)
        del args, options  # so that no traceback with locals shows a password
        try:
            return await threads.call(lambda: run(coroutine))
        finally:
            # It was refused, or cancelled before a thread took it.
            if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                with suppress(ValueError):  # a thread took it this very moment
                    coroutine.close()

    return call
