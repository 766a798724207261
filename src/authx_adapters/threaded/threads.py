"""The threads of one port, as the tasks of an event loop see them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine
from concurrent.futures import Executor
from concurrent.futures import wait as wait_for
from contextlib import suppress
from typing import Any, Final

from authx_adapters.threaded.workers import Refused, Workers
from authx_core import InvalidValue, PortUnavailable, Problem, Suspended, run

_NO_LOOP: Final = "no running event loop"
"""The message of asyncio in a thread without a loop."""


class Threads:
    """Calls of one blocking adapter, each in a thread. Writes have other threads than reads if ``divided``."""

    def __init__(
        self,
        port: object,
        unavailable: type[PortUnavailable],
        *,
        workers: int,
        queue: int,
        timeout: float,
        executor: Executor | None,
        divided: bool,
    ) -> None:
        """Raise ``unavailable`` for a call that no thread takes, or that does not end within ``timeout`` seconds."""
        self.port = port
        self._name = type(port).__name__
        self._unavailable = unavailable
        self._timeout = timeout
        self._writes = Workers(workers, queue, executor)
        self._reads = Workers(workers, queue, executor) if divided else self._writes

    async def call(self, method: str, coroutine: Coroutine[Any, Any, Any], *, reads: bool) -> Any:
        """Return the result of a coroutine of the adapter's ``method``. It is closed if no thread begins it."""
        try:
            return await self._call(f"{self._name}.{method}", coroutine, reads=reads)
        finally:
            if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                with suppress(ValueError):  # a thread took it this very moment
                    coroutine.close()

    async def _call(self, name: str, coroutine: Coroutine[Any, Any, Any], *, reads: bool) -> Any:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise Suspended from None
        workers = self._reads if reads else self._writes
        try:
            answer = workers.take(lambda: _run(name, coroutine))
        except Refused as refused:
            raise self._unavailable(f"{name}: {refused}") from refused.__cause__
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                return await asyncio.wrap_future(answer, loop=loop)
        except TimeoutError:
            if not limit.expired():
                raise
            raise self._unavailable(f"{name}: no thread has answered within {self._timeout:g} seconds") from None
        finally:
            answer.cancel()  # which takes it out of the queue, and does nothing to one that runs or has ended

    async def aclose(self) -> None:
        """Refuse more calls, and wait for those that run, within the timeout."""
        ended = [asyncio.wrap_future(each.close()) for each in (self._reads, self._writes)]
        await asyncio.wait(ended, timeout=self._timeout)
        self._end()

    def close(self) -> None:
        """Do the same without an event loop."""
        wait_for([each.close() for each in (self._reads, self._writes)], self._timeout)
        self._end()

    def _end(self) -> None:
        for each in (self._reads, self._writes):
            each.end()


def _run(name: str, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a thread. Raises `InvalidValue` if it waits or looks for an event loop."""
    try:
        return run(coroutine)
    except Suspended:
        pass
    except RuntimeError as error:
        if _NO_LOOP not in str(error):
            raise
    reason = f"{name} is asynchronous: threads serve blocking adapters, so use this one without them"
    raise InvalidValue(Problem("port", "asynchronous", reason))
