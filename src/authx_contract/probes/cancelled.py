"""What the clauses on cancelled calls share."""

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
"""Seconds that a loaded server may need more to carry out what was sent."""
_PROMPT: Final = 10.0
"""Seconds within which a handle answers, unless what was cancelled took something along that it needs."""


def cancelled_or_done(cut: Cut, name: str) -> None:
    """Raise `Violation` if a cancelled operation ended in an error of its own, which hides the cancellation."""
    if cut.error is not None and not isinstance(cut.error, _REFUSALS):
        raise Violation(
            f"{name}, cancelled at its await {cut.at}, did not end as cancelled",
            raised=f"{type(cut.error).__name__}: {cut.error}",
        ) from cut.error


async def promptly(call: Awaitable[R], when: str) -> R:
    """Return what a call returns, in time and without an error; else raise `Violation`."""
    try:
        async with asyncio.timeout(_PROMPT):
            return await call
    except TimeoutError:
        raise Violation(f"the handle did not answer within {_PROMPT:.0f} seconds: {when}") from None
    except Violation:
        raise
    except Exception as error:
        raise Violation(
            f"the handle is of no use any more: {when}", raised=f"{type(error).__name__}: {error}"
        ) from error


async def settled(look: Callable[[], Awaitable[R]]) -> R:
    """Return what a look finds; look again, a little later, before it accuses."""
    try:
        return await look()
    except Violation:
        await asyncio.sleep(_LATE)
        return await look()
