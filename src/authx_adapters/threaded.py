"""Blocking ports for an event loop: one hop to a thread for each call."""

from __future__ import annotations

import asyncio
import inspect
from abc import abstractmethod
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, Protocol, overload

from authx_adapters.common.timeouts import seconds
from authx_adapters.common.workers import Workers
from authx_core import (
    Cache,
    CacheUnavailable,
    InvalidValue,
    Overloaded,
    PasswordHasher,
    PortUnavailable,
    Problem,
    StoreUnavailable,
    Suspended,
    UserStore,
    run,
)


class ThreadedUserStore(UserStore, Protocol):
    """A `UserStore` on threads of its own."""

    @abstractmethod
    async def aclose(self) -> None:
        """End the threads, once their calls have ended or the timeout has passed; more calls are refused."""
        ...


class ThreadedCache(Cache, Protocol):
    """A `Cache` on threads of its own."""

    @abstractmethod
    async def aclose(self) -> None:
        """End the threads, once their calls have ended or the timeout has passed; more calls are refused."""
        ...


class ThreadedHasher(PasswordHasher, Protocol):
    """A `PasswordHasher` on threads of its own."""

    @abstractmethod
    async def aclose(self) -> None:
        """End the threads, once their calls have ended or the timeout has passed; more calls are refused."""
        ...


_KINDS: Final[tuple[tuple[type, type, type[PortUnavailable]], ...]] = (
    (UserStore, ThreadedUserStore, StoreUnavailable),
    (Cache, ThreadedCache, CacheUnavailable),
    (PasswordHasher, ThreadedHasher, Overloaded),
)
"""Each port, what serves it, and its error for a call that no thread took or ended in time."""
_READS: Final = ("get", "search", "count")
"""How the names of the operations begin that write nothing."""


@overload
def Threaded(
    port: UserStore, *, workers: int = 4, queue: int = 1000, timeout: float | timedelta = 5.0
) -> ThreadedUserStore: ...
@overload
def Threaded(
    port: Cache, *, workers: int = 4, queue: int = 1000, timeout: float | timedelta = 5.0
) -> ThreadedCache: ...
@overload
def Threaded(
    port: PasswordHasher, *, workers: int = 4, queue: int = 1000, timeout: float | timedelta = 5.0
) -> ThreadedHasher: ...
def Threaded(port: Any, *, workers: int = 4, queue: int = 1000, timeout: float | timedelta = 5.0) -> Any:  # noqa: N802 - it makes a port, as a class does
    """Serve a blocking store, cache or hasher to an event loop from ``workers`` threads.

    The writes of a store or cache have as many threads again, so that no read waits behind a write that is blocked.
    A caller waits at most ``timeout`` (seconds or a timedelta) for its answer, in the queue and in the thread
    together, and at most ``queue`` calls wait, so that memory stays bounded; beyond either, the call ends in the error
    of its port: `StoreUnavailable`, `CacheUnavailable`, or `Overloaded` for a hasher. A caller who is cancelled, or
    gives up, takes its waiting call along; a running one ends in its thread, which serves nobody else until then.

    ``aclose()`` ends the threads; garbage collection does too. A forked child starts threads of its own. Needs asyncio.
    Raises `InvalidValue` for a port that is none, or is threaded already, and for impossible numbers; a call of a port
    that turns out to be asynchronous raises it too.
    """
    kinds = [kind for kind in _KINDS if isinstance(port, kind[0])]
    _check(port, workers, queue, known=bool(kinds))
    ((kind, served, unavailable),) = kinds[:1]
    names = [name for name, _ in inspect.getmembers(kind, inspect.iscoroutinefunction) if name[0] != "_"]
    bound = seconds(timeout)
    if bound is None:
        raise InvalidValue(Problem("timeout", "out_of_range", "must be positive: every call ends"))
    writes = _Threads(Workers(workers, queue), bound, unavailable)
    reads = writes if kind is PasswordHasher else _Threads(Workers(workers, queue), bound, unavailable)

    async def aclose(_: object) -> None:
        await asyncio.gather(reads.aclose(), writes.aclose())

    operations = {name: _hop(getattr(port, name), reads if name.startswith(_READS) else writes) for name in names}
    return type(served.__name__, (served,), {**operations, "aclose": aclose})()


def _check(port: object, workers: int, queue: int, *, known: bool) -> None:
    problems: list[Problem] = []
    if any(served in type(port).__mro__ for _, served, _ in _KINDS):
        problems.append(Problem("port", "unsupported", "has threads already"))
    elif not known or isinstance(port, type):
        given = f"the class {port.__name__}" if isinstance(port, type) else f"an object of {type(port).__name__}"
        reason = f"must be a blocking UserStore, Cache or PasswordHasher, not {given}"
        problems.append(Problem("port", "unsupported", reason))
    for field, number, least in (("workers", workers, 1), ("queue", queue, 0)):
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            problems.append(Problem(field, "out_of_range", f"must be a whole number, {least} or more"))
    if problems:
        raise InvalidValue(*problems)


class _Threads:
    """Workers, as the tasks of an event loop see them."""

    def __init__(self, workers: Workers, timeout: float, unavailable: type[PortUnavailable]) -> None:
        self._workers = workers
        self._timeout = timeout
        self._unavailable = unavailable

    async def call(self, operation: Callable[[], Any]) -> Any:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise Suspended from None
        answer = self._workers.take(operation)
        if answer is None:
            raise self._unavailable("the queue for a thread is full, or the threads have been closed")
        bound = asyncio.timeout(self._timeout)
        try:
            async with bound:
                return await asyncio.wrap_future(answer, loop=loop)
        except TimeoutError:
            if not bound.expired():
                raise
            raise self._unavailable(f"no thread has answered within {self._timeout:g} seconds") from None
        finally:
            answer.cancel()  # which takes it out of the queue, and does nothing to one that runs or has ended

    async def aclose(self) -> None:
        ended = asyncio.wrap_future(self._workers.close())
        await asyncio.wait([ended], timeout=self._timeout)
        self._workers.join()


def _hop(operation: Callable[..., Coroutine[Any, Any, Any]], threads: _Threads) -> Callable[..., Any]:
    async def call(_: object, /, *args: Any, **options: Any) -> Any:
        coroutine = operation(*args, **options)
        del args, options  # so that no traceback with locals shows a password
        try:
            return await threads.call(lambda: _run(coroutine))
        finally:
            # It was refused, or its caller was gone before a thread took it.
            if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                with suppress(ValueError):  # a thread took it this very moment
                    coroutine.close()

    return call


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a thread. Raises `InvalidValue` if it looks for an event loop."""
    try:
        return run(coroutine)
    except Suspended:
        pass
    except RuntimeError as error:
        if "no running event loop" not in str(error):
            raise
    reason = "is asynchronous: threads are for blocking ones, so use it as it is"
    raise InvalidValue(Problem("port", "asynchronous", reason))
