"""Helpers of the clauses on cancelled calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from authx_contract.basics.violation import Violation
from authx_contract.probes.sweep import Cut
from authx_core.domain import IdentifierTaken, StaleUser, UserNotFound

R = TypeVar("R")

_REFUSALS: Final = (IdentifierTaken, StaleUser, UserNotFound)
_LATE: Final = 0.5
"""Seconds more that a busy server may need to carry out a request that it has received."""
_PROMPT: Final = 10.0
"""Seconds within which a handle answers, unless a cancelled call kept a connection or a lock."""


def cancelled_or_done(cut: Cut, name: str) -> None:
    """Raise `Violation` if a cancelled operation ended in another error, which hides the cancellation."""
    if cut.error is not None and not isinstance(cut.error, _REFUSALS):
        raise Violation(
            f"{name}, cancelled at its await {cut.at}, did not raise CancelledError",
            raised=f"{type(cut.error).__name__}: {cut.error}",
        ) from cut.error


async def promptly(call: Awaitable[R], when: str) -> R:
    """Return the result of a call; raise `Violation` if it fails or takes too long."""
    try:
        async with asyncio.timeout(_PROMPT):
            return await call
    except TimeoutError:
        raise Violation(f"the handle did not answer within {_PROMPT:.0f} seconds: {when}") from None
    except Violation:
        raise
    except Exception as error:
        raise Violation(f"the handle is no longer usable: {when}", raised=f"{type(error).__name__}: {error}") from error


async def eventually(look: Callable[[], Awaitable[R]]) -> R:
    """Return the result of a check; if it raises `Violation`, wait a little and try once more."""
    try:
        return await look()
    except Violation:
        await asyncio.sleep(_LATE)
        return await look()
