"""Crash sweeps: an operation is cancelled at its first await, at its second, and so on, until it completes.

A cancelled caller cannot know whether its request was sent. So a clause waits until the server has carried out any
request in flight, and then looks through a second handle.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from types import coroutine
from typing import Any, Final

import attrs

from authx_contract.basics.violation import Violation

LANDING: Final = 0.1
"""Seconds within which a server carries out a request in flight."""
MOST: Final = 500
"""The most awaits of one operation; one with more is taken to be endless."""


@attrs.define
class Cut:
    """One run of an operation in a sweep."""

    at: int
    """The await at which to cancel, counted from 1."""
    cancelled: bool = False
    """The operation raised `CancelledError`."""
    through: bool = False
    """It completed before this await: the sweep is over."""
    on_the_wire: bool = False
    """It waited for a future when it was cancelled, instead of only yielding to the loop."""
    result: object = None
    error: Exception | None = None


async def sweep(
    operate: Callable[[], Coroutine[Any, Any, object]],
    prepare: Callable[[], Awaitable[object]] | None = None,
    *,
    landing: float = LANDING,
    at_once: bool = False,
) -> AsyncGenerator[Cut, None]:
    """Cancel an operation at its *k*-th await, for every *k*; yield each cut once a request in flight has landed.

    ``prepare`` is awaited before each run; ``landing`` is in seconds. ``at_once`` cancels before anything else in the
    loop runs, such as a task that is about to send a request. Otherwise, `asyncio.wait_for` of Python 3.11 loses the
    cancellation if its future is done by then. The last cut is `Cut.through`.
    """
    for at in range(1, MOST + 1):
        if prepare is not None:
            await prepare()
        cut = await cancelled_at(at, operate(), at_once=at_once)
        if cut.on_the_wire:
            await asyncio.sleep(landing)
        yield cut
        if cut.through:
            return
    raise Violation(f"an operation awaited more than {MOST} times")


async def cancelled_at(  # noqa: C901 - one generator drives another
    at: int, operation: Coroutine[Any, Any, object], *, at_once: bool = False
) -> Cut:
    """Run an operation as a task, and cancel it before its *k*-th await, where *k* is ``at``."""
    cut = Cut(at, through=True)

    @coroutine
    def counted() -> Generator[Any, Any, object]:
        """Pass every suspension to the loop, and cancel the task at the right one."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        awaits = operation.__await__()
        sent: Any = None
        raised: BaseException | None = None
        for number in range(1, MOST + at):
            try:
                waits_for = awaits.send(sent) if raised is None else awaits.throw(raised)
            except StopIteration as stop:
                return stop.value
            if number == at and task is not None:
                cut.through, cut.on_the_wire = False, waits_for is not None
                if at_once and _is_cancelled(waits_for):
                    sent, raised = None, asyncio.CancelledError()
                    continue
                loop.call_soon(task.cancel)
            sent, raised = None, None
            try:
                sent = yield waits_for
            except BaseException as error:  # noqa: BLE001 - the operation handles it
                raised = error
        raise Violation(f"an operation awaited more than {MOST} times")

    async def run() -> object:
        return await counted()

    try:
        cut.result = await asyncio.create_task(run())
    except asyncio.CancelledError:
        cut.cancelled = True
    except Violation:
        raise
    except Exception as error:  # noqa: BLE001 - the clause judges it
        cut.error = error
    return cut


def _is_cancelled(waits_for: object) -> bool:
    """Cancel the awaited future; return whether it is cancelled at once, unlike a task, which has to run first."""
    return isinstance(waits_for, asyncio.Future) and waits_for.cancel() and waits_for.cancelled()
