"""The timeout of a callback."""

from __future__ import annotations

import sys
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from typing import Any


def at_most(span: timedelta) -> AbstractAsyncContextManager[object]:
    """Raise `TimeoutError` in a block of an asyncio task that takes longer. Outside of a task nothing waits.

    The core imports no event loop: an application that runs one has imported asyncio.
    """
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is None or not _in_a_task(asyncio):
        return nullcontext()
    bound: AbstractAsyncContextManager[object] = asyncio.timeout(span.total_seconds())
    return bound


def _in_a_task(asyncio: Any) -> bool:
    try:
        return asyncio.current_task() is not None
    except RuntimeError:  # no loop runs in this thread
        return False
