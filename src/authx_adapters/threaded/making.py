"""`Threaded`, which makes a port that is served by threads."""

from __future__ import annotations

from concurrent import futures
from concurrent.futures import Executor
from datetime import timedelta
from typing import Any, Final, overload

from authx_adapters.common.timeouts import seconds
from authx_adapters.threaded.ports import OnThreads, ThreadedCache, ThreadedHasher, ThreadedUserStore
from authx_adapters.threaded.threads import Threads
from authx_core import (
    Cache,
    CacheUnavailable,
    InvalidValue,
    Overloaded,
    PasswordHasher,
    PortUnavailable,
    Problem,
    StoreUnavailable,
    UserStore,
)

_KINDS: Final[tuple[tuple[type, type[OnThreads], type[PortUnavailable]], ...]] = (
    (UserStore, ThreadedUserStore, StoreUnavailable),
    (Cache, ThreadedCache, CacheUnavailable),
    (PasswordHasher, ThreadedHasher, Overloaded),
)
"""Each port, the class that serves it from threads, and its error for a call that no thread took or ended in time."""
_WITHOUT_THREADS: Final = tuple(
    getattr(futures, name) for name in ("ProcessPoolExecutor", "InterpreterPoolExecutor") if hasattr(futures, name)
)
"""Executors that cannot share an adapter with their caller; the second one is Python 3.14's."""


@overload
def Threaded(
    port: UserStore,
    *,
    workers: int = 4,
    queue: int = 1000,
    timeout: float | timedelta = 5.0,
    executor: Executor | None = None,
) -> ThreadedUserStore: ...
@overload
def Threaded(
    port: Cache,
    *,
    workers: int = 4,
    queue: int = 1000,
    timeout: float | timedelta = 5.0,
    executor: Executor | None = None,
) -> ThreadedCache: ...
@overload
def Threaded(
    port: PasswordHasher,
    *,
    workers: int = 4,
    queue: int = 1000,
    timeout: float | timedelta = 5.0,
    executor: Executor | None = None,
) -> ThreadedHasher: ...
def Threaded(  # noqa: N802 - it makes a port, as a class does
    port: Any,
    *,
    workers: int = 4,
    queue: int = 1000,
    timeout: float | timedelta = 5.0,
    executor: Executor | None = None,
) -> Any:
    """Serve a blocking store, cache or hasher to an event loop from ``workers`` threads.

    The writes of a store or cache have as many threads again, so that no read waits behind a write that is blocked.
    A caller waits at most ``timeout`` (seconds or a timedelta) for its answer, in the queue and in the thread
    together. At most ``queue`` calls wait, so that memory stays bounded. Beyond either, the call ends in the error
    of its port: `StoreUnavailable`, `CacheUnavailable`, or `Overloaded` for a hasher. If a caller is cancelled or
    gives up, its call leaves the queue; a call that runs already goes on to its end, and keeps its thread until then.

    ``aclose()``, and ``close()`` without an event loop, end the threads; garbage collection does too. A forked child
    starts threads of its own. ``executor`` is one of the application's to use in their place: it needs at least twice
    as many threads as ``workers`` if reads shall not wait for writes, it is never shut down here, and a forked child
    is refused.

    Needs asyncio. Raises `InvalidValue` for an object that is no port, or has threads already, for an executor without
    threads in this process, and for impossible numbers. A call of an adapter that turns out to be asynchronous raises
    it too.
    """
    kinds = [kind for kind in _KINDS if isinstance(port, kind[0])]
    _check(port, workers, queue, executor, known=bool(kinds))
    kind, served, unavailable = kinds[0]
    threads = Threads(
        port,
        unavailable,
        workers=workers,
        queue=queue,
        timeout=seconds(timeout),
        executor=executor,
        divided=kind is not PasswordHasher,
    )
    return served(threads)


def _check(port: object, workers: int, queue: int, executor: object, *, known: bool) -> None:
    problems: list[Problem] = []
    if isinstance(port, OnThreads):
        problems.append(Problem("port", "unsupported", f"is a {type(port).__name__}, which has threads already"))
    elif not known or isinstance(port, type):
        given = f"the class {port.__name__}" if isinstance(port, type) else f"an object of {type(port).__name__}"
        reason = f"must be a blocking UserStore, Cache or PasswordHasher, not {given}"
        problems.append(Problem("port", "unsupported", reason))
    for field, number, least in (("workers", workers, 1), ("queue", queue, 0)):
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            problems.append(Problem(field, "out_of_range", f"must be a whole number, {least} or more"))
    if executor is not None and (not isinstance(executor, Executor) or isinstance(executor, _WITHOUT_THREADS)):
        reason = f"must run calls in threads of this process, as ThreadPoolExecutor does, not {type(executor).__name__}"
        problems.append(Problem("executor", "unsupported", reason))
    if problems:
        raise InvalidValue(*problems)
