"""Crash sweeps: an operation that is cancelled at its first await, at its second, and so on until it runs through.

What a caller sees when it is cancelled is a half of the truth: the request may be on the wire already. So what was sent
is let land before anybody looks, through a second handle.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from types import coroutine
from typing import Any, Final

import attrs

from authx_contract.basics.violation import Violation

LANDING: Final = 0.1
"""Seconds within which a request that was sent is carried out."""
MOST: Final = 500
"""Awaits of one operation; one that has more never ends."""


@attrs.define
class Cut:
    """An operation that was cancelled, or was not any more."""

    at: int
    """The await at which it was to be cancelled, counted from 1."""
    cancelled: bool = False
    """Its caller saw `CancelledError`."""
    through: bool = False
    """It ended before its so-maniest await: the sweep is over."""
    on_the_wire: bool = False
    """It waited for something when it was cancelled, rather than only giving way."""
    result: object = None
    error: Exception | None = None


async def sweep(
    operate: Callable[[], Coroutine[Any, Any, object]],
    prepare: Callable[[], Awaitable[object]] | None = None,
    *,
    landing: float = LANDING,
    at_once: bool = False,
) -> AsyncGenerator[Cut, None]:
    """Cancel an operation at its k-th await for every k; yield after each, when what was sent has landed.

    ``prepare`` is awaited before each; ``landing`` is in seconds. ``at_once`` cancels before anything else in the loop
    has its turn, such as a task that is about to send a request: otherwise Python 3.11's `asyncio.wait_for`, if what it
    waits for is done by then, swallows it. The last cut is `Cut.through`.
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
    raise Violation(f"an operation awaits more than {MOST} times")


async def cancelled_at(  # noqa: C901 - one generator drives another
    at: int, operation: Coroutine[Any, Any, object], *, at_once: bool = False
) -> Cut:
    """Run an operation as a task that is cancelled once it is suspended for the so-maniest time."""
    cut = Cut(at, through=True)

    @coroutine
    def counted() -> Generator[Any, Any, object]:
        """Hand every suspension on to the loop, and cancel the task at the one that is meant."""
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
            except BaseException as error:  # noqa: BLE001 - it is the operation's to handle
                raised = error
        raise Violation(f"an operation awaits more than {MOST} times")

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
    """Cancel what an operation waits for, and tell whether it is so already: a task would first have to see to it."""
    return isinstance(waits_for, asyncio.Future) and waits_for.cancel() and waits_for.cancelled()
