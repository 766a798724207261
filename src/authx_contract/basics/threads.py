"""Work in threads for which nobody has to wait: one that hangs is left behind, and the process can end all the same."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

R = TypeVar("R")


async def in_thread(work: Callable[[], R]) -> R:
    """Do work in a thread of its own, and return what it returned; a pool would be joined before the process ends."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[R] = loop.create_future()

    def settle(tell: Callable[[Any], None], result: object) -> None:
        if not future.done():
            tell(result)

    def run() -> None:
        tell: Callable[[Any], None] = future.set_result
        result: object
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is handed on
            tell, result = future.set_exception, error
        with suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(settle, tell, result)

    threading.Thread(target=run, name="authx-contract", daemon=True).start()
    return await future


async def together(*calls: Awaitable[R]) -> list[R]:
    """Await all, and only then raise what the first to fail raised: none goes on over handles that are closed."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.wait(tasks)
    return await asyncio.gather(*tasks)
