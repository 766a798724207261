"""One call for blocking and asynchronous drivers."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar, cast

_T = TypeVar("_T")


async def settle(value: Awaitable[_T] | _T) -> _T:
    """Return the answer of a blocking driver, or await that of an asynchronous one."""
    if isinstance(value, Awaitable):
        return await cast("Awaitable[_T]", value)
    return value
