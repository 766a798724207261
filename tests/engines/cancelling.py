"""Cancel a call at each of its awaits in turn, including those of tasks that it starts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Generator
from contextvars import ContextVar
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import authx_adapters
from authx_core import AuthxError

Moment: TypeAlias = Literal["early", "late", "ever after"]
"""When to cancel: as a call begins to wait, when the server may have received nothing; as the awaited result arrives,
when the server may have done everything; or at this wait and each later one, as the cancel scopes of AnyIO do."""

MOMENTS: Final[tuple[Moment, ...]] = ("early", "late", "ever after")


_ADAPTERS: Final = str(Path(authx_adapters.__file__).parent)
MAY_BE_LOST: Final = sys.version_info < (3, 12)
"""Whether `asyncio.wait_for`, which drivers use, may lose a cancellation that arrives together with the result:
https://github.com/python/cpython/issues/86296."""


class Cancel:
    """Cancels the task of a call at its n-th wait."""

    def __init__(self, at: int, moment: Moment) -> None:
        self._at, self._moment = at, moment
        self._waits = 0
        self._caller: asyncio.Task[Any] | None = None

    def __str__(self) -> str:
        return f"cancelled {self._moment} at wait {self._at}"

    @property
    def happened(self) -> bool:
        """Whether the call reached that wait."""
        return self._waits >= self._at

    async def during(self, call: Awaitable[Any]) -> None:
        """Make the call. If it is cancelled, it must raise `CancelledError` and nothing else."""

        async def task() -> Any:
            _CANCEL.set(self)
            self._caller = asyncio.current_task()
            return await _Watched(call, self._about_to_wait)

        asyncio.get_running_loop().set_task_factory(_watching_task_factory)
        outcome: Any = (await asyncio.gather(task(), return_exceptions=True))[0]
        self._caller = None
        if isinstance(outcome, asyncio.CancelledError):
            assert self.happened
        elif isinstance(outcome, AuthxError):
            assert not self.happened, f"raised {outcome!r} instead of CancelledError"
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            assert MAY_BE_LOST or not self.happened, f"returned {outcome!r} though it was cancelled"

    def _about_to_wait(self, awaited: asyncio.Future[Any] | None) -> None:
        if (caller := self._caller) is None:
            return
        self._waits += 1
        if not self.happened or (self._waits > self._at and self._moment != "ever after"):
            return
        if self._moment == "late" and awaited is not None:
            awaited.add_done_callback(lambda _: caller.cancel())
        else:
            caller.cancel()


async def everywhere(attempt: Callable[[Cancel], Awaitable[None]]) -> None:
    """Repeat an attempt, cancelled at each wait of its call in turn, until one runs to its end uncancelled."""
    for moment in MOMENTS:
        for at in count(1):
            cancel = Cancel(at, moment)
            try:
                await attempt(cancel)
            except BaseException as error:
                error.add_note(f"{cancel}")
                raise
            if not cancel.happened:
                break


class _Watched(Awaitable[Any]):
    """Await a call, and report each future before it is awaited; None is one turn of the event loop."""

    def __init__(self, call: Awaitable[Any], about_to_wait: Callable[[asyncio.Future[Any] | None], None]) -> None:
        self._call, self._about_to_wait = call, about_to_wait

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._call.__await__()
        thrown: BaseException | None = None
        while True:
            try:
                awaited = next(steps) if thrown is None else steps.throw(thrown)
            except StopIteration as end:
                return end.value
            self._about_to_wait(awaited)
            try:
                yield awaited
                thrown = None
            except BaseException as error:  # noqa: BLE001 - thrown into the call
                thrown = error


_CANCEL: Final[ContextVar[Cancel]] = ContextVar("cancel")


def _watching_task_factory(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    """Make a task; watch it too if one of our adapters starts it for a call under test."""
    cancel = _CANCEL.get(None)
    if cancel is not None and work.cr_code.co_filename.startswith(_ADAPTERS):
        return asyncio.Task(_awaited(_Watched(work, cancel._about_to_wait)), loop=loop, **options)
    return asyncio.Task(work, loop=loop, **options)


async def _awaited(call: Awaitable[Any]) -> Any:
    return await call
