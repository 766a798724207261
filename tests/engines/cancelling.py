"""Cancel a call wherever it waits, one place after the other, also within tasks of its own."""

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
"""As a call begins to wait, when the server may not even have heard of it; as that for which it waited is there, when
the server may have done all; or whenever it waits from then on, as the cancel scopes of AnyIO do."""

MOMENTS: Final[tuple[Moment, ...]] = ("early", "late", "ever after")


_ADAPTERS: Final = str(Path(authx_adapters.__file__).parent)
MAY_BE_LOST: Final = sys.version_info < (3, 12)
"""Whether `asyncio.wait_for`, which drivers use, forgets a cancellation that comes together with the result:
https://github.com/python/cpython/issues/86296."""


class Cancel:
    """Cancels the task of a call when it waits for the n-th time."""

    def __init__(self, at: int, moment: Moment) -> None:
        self._at, self._moment = at, moment
        self._waits = 0
        self._caller: asyncio.Task[Any] | None = None

    def __str__(self) -> str:
        return f"cancelled {self._moment} at wait {self._at}"

    @property
    def happened(self) -> bool:
        """Whether the call has waited that often."""
        return self._waits >= self._at

    async def during(self, call: Awaitable[Any]) -> None:
        """Make the call. It must tell that it was cancelled by `CancelledError` alone."""

        async def task() -> Any:
            _CANCEL.set(self)
            self._caller = asyncio.current_task()
            return await _Watched(call, self._about_to_wait)

        asyncio.get_running_loop().set_task_factory(_watching_our_own)
        outcome: Any = (await asyncio.gather(task(), return_exceptions=True))[0]
        self._caller = None
        if isinstance(outcome, asyncio.CancelledError):
            assert self.happened
        elif isinstance(outcome, AuthxError):
            assert not self.happened, f"{outcome!r} instead of a cancellation"
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            assert MAY_BE_LOST or not self.happened, f"{outcome!r} in spite of a cancellation"

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
    """Make an attempt for each time that a call in it waits, and at last one without cancelling."""
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
    """Await a call, and tell of each future that it is about to wait for; None is one turn of the event loop."""

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
            except BaseException as error:  # noqa: BLE001 - whatever the event loop throws into its tasks
                thrown = error


_CANCEL: Final[ContextVar[Cancel]] = ContextVar("cancel")


def _watching_our_own(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    """Make a task; watch it too if an adapter of ours starts it for a call that is to be cancelled."""
    cancel = _CANCEL.get(None)
    if cancel is not None and work.cr_code.co_filename.startswith(_ADAPTERS):
        return asyncio.Task(_awaited(_Watched(work, cancel._about_to_wait)), loop=loop, **options)
    return asyncio.Task(work, loop=loop, **options)


async def _awaited(call: Awaitable[Any]) -> Any:
    return await call
