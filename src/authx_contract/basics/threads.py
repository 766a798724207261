"""Daemon threads for work that may hang: a thread that hangs is abandoned, and does not keep the process alive."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

R = TypeVar("R")


async def in_thread(work: Callable[[], R]) -> R:
    """Run work in its own daemon thread and return the result; a pool would be joined before the process ends."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[R] = loop.create_future()

    def resolve(set_: Callable[[Any], None], result: object) -> None:
        if not future.done():
            set_(result)

    def run() -> None:
        set_: Callable[[Any], None] = future.set_result
        result: object
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            set_, result = future.set_exception, error
        with suppress(RuntimeError):  # the loop is closed: no caller waits any more
            loop.call_soon_threadsafe(resolve, set_, result)

    threading.Thread(target=run, name="authx-contract", daemon=True).start()
    return await future


async def gather_all(*calls: Awaitable[R]) -> list[R]:
    """Await all calls, and only then raise the first error: no call may still run when the handles are closed."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.wait(tasks)
    return await asyncio.gather(*tasks)
