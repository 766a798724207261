"""What all contracts share: clauses that run themselves, and a clock that moves when told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta, timezone
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from authx_core.ports import Clock

A = ParamSpec("A")
C = TypeVar("C", bound="Contract")

_START: Final = datetime(2026, 1, 1, 12, 30, 15, 123_457, timezone.utc)


class Contract:
    """Clauses of one port: asynchronous methods that any test runner may call as ordinary ones.

    Each runs in an event loop of its own and on a fresh instance, and `close` follows it in the same loop.
    """

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Make every clause an ordinary method."""
        super().__init_subclass__(**kwargs)
        for name, member in list(vars(cls).items()):
            if name.startswith("test_") and iscoroutinefunction(member):
                setattr(cls, name, _ordinary(member))

    async def close(self) -> None:
        """Release what a clause opened."""


def _ordinary(clause: Callable[Concatenate[C, A], Coroutine[Any, Any, None]]) -> Callable[Concatenate[C, A], None]:
    async def closed_after(contract: C, *args: A.args, **kwargs: A.kwargs) -> None:
        try:
            await clause(contract, *args, **kwargs)
        finally:
            await contract.close()

    @wraps(clause)
    def run(contract: C, /, *args: A.args, **kwargs: A.kwargs) -> None:
        asyncio.run(closed_after(contract, *args, **kwargs))

    return run


class SteppedClock(Clock):
    """A clock that stands still until a clause moves it."""

    def __init__(self, start: datetime = _START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the instant that was reached."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self._now += by
