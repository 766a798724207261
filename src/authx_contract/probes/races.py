"""Several callers at once.

Cold handles hide races, so each racer has its own handle, which it uses once before all start together. More rounds
find more faults; more racers do not.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final, TypeAlias, TypeVar

from authx_contract.basics.threads import in_thread
from authx_contract.never_suspends import NeverSuspends
from authx_core.blocking import run
from authx_core.domain import AuthxError

P = TypeVar("P")
R = TypeVar("R")

ROUNDS: Final = 10
_TIMEOUT: Final = 60.0
"""Seconds after which a race is cancelled and fails."""
_TURNS: Final = 1_000
"""How often a thread is preempted: enough for adapters in memory. Others wait for their engine often enough."""
_TURNS_OF_ONE: Final = 20
"""How often a thread is preempted within one function, so that a helper that is called often does not use up all
turns before the critical step."""
_NOT_THE_ADAPTER: Final = tuple(
    f"{folder}{os.sep}" for folder in (Path(run.__code__.co_filename).parent, Path(__file__).parents[1])
)
"""The core and this suite."""
_LIBRARY: Final = str(Path(threading.__file__).parent)

Warm: TypeAlias = Callable[[P], Coroutine[Any, Any, object]]
Operation: TypeAlias = Callable[[P, int], Coroutine[Any, Any, R]]


async def race(handles: Sequence[P], operate: Operation[P, R], *, warm: Warm[P]) -> list[R | AuthxError]:
    """Let ``operate(handle, racer)`` start at once on every handle; return each result or error in order.

    Handles of `never_suspends` race on threads, all others as tasks. An error that is not an `AuthxError` is raised.
    """
    if all(isinstance(handle, NeverSuspends) for handle in handles):
        return await _on_threads(handles, operate, warm)
    return await _as_tasks(handles, operate, warm)


async def _as_tasks(handles: Sequence[P], operate: Operation[P, R], warm: Warm[P]) -> list[R | AuthxError]:
    barrier = asyncio.Barrier(len(handles))

    async def racer(handle: P, number: int) -> R | AuthxError:
        await warm(handle)
        await barrier.wait()
        return await _outcome(operate(handle, number))

    try:
        async with asyncio.timeout(_TIMEOUT), asyncio.TaskGroup() as group:
            tasks = [group.create_task(racer(handle, number)) for number, handle in enumerate(handles)]
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    return [task.result() for task in tasks]


async def _on_threads(handles: Sequence[P], operate: Operation[P, R], warm: Warm[P]) -> list[R | AuthxError]:
    barrier = threading.Barrier(len(handles))

    def racer(handle: P, number: int) -> R | AuthxError:
        try:
            run(warm(handle))
            barrier.wait(_TIMEOUT)
            with preempted():
                return run(_outcome(operate(handle, number)))
        except BaseException:
            barrier.abort()
            raise

    with _eager_switching():
        calls = [in_thread(partial(racer, handle, number)) for number, handle in enumerate(handles)]
        results = await asyncio.gather(*calls, return_exceptions=True)
    failures = [
        result for result in results if isinstance(result, BaseException) and not isinstance(result, AuthxError)
    ]
    for failure in sorted(failures, key=lambda failure: isinstance(failure, threading.BrokenBarrierError)):
        raise failure
    return [result for result in results if not isinstance(result, BaseException) or isinstance(result, AuthxError)]


def no_error(results: Iterable[object]) -> None:
    """Raise the first error among the results of a race in which no call may be refused."""
    for result in results:
        if isinstance(result, AuthxError):
            raise result


async def _outcome(call: Awaitable[R]) -> R | AuthxError:
    try:
        return await call
    except AuthxError as error:
        return error


@contextmanager
def preempted() -> Generator[None, None, None]:
    """Let other threads run at each line of the adapter; otherwise calls on threads hardly ever overlap."""
    before = sys.gettrace()
    turns = iter(range(_TURNS))
    turns_of: Counter[CodeType] = Counter()

    def preempt(frame: FrameType, event: str, _argument: object) -> Any:
        code = frame.f_code
        if event == "call" and (turns_of[code] >= _TURNS_OF_ONE or not may_belong_to_the_adapter(code.co_filename)):
            return None
        if next(turns, None) is None:
            sys.settrace(before)
            return None
        turns_of[code] += 1
        time.sleep(0)
        return preempt

    sys.settrace(preempt)
    try:
        yield
    finally:
        sys.settrace(before)


def may_belong_to_the_adapter(file: str) -> bool:
    """Whether the code in a file may belong to an adapter or its driver."""
    if file.startswith(_NOT_THE_ADAPTER):
        return False
    return not file.startswith(_LIBRARY) or "site-packages" in file


@contextmanager
def _eager_switching() -> Generator[None, None, None]:
    """Let the interpreter switch threads as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
