"""One call for a driver of either kind."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar, cast

_T = TypeVar("_T")


async def settle(value: Awaitable[_T] | _T) -> _T:
    """Return what a blocking driver answered, or wait for what an asynchronous one answers."""
    if isinstance(value, Awaitable):
        return await cast("Awaitable[_T]", value)
    return value
