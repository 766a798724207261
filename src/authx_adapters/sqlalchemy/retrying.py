"""Calls that are repeated on another connection: reads, and writes of which nothing was done.

A connection that waited in a pool may be dead, and what its session knows of the tables may be outdated. A call that
fails for such a reason is made again until its connection is a new one; that one's failure is final. Each failure takes
a connection out of the pool, so this ends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

import attrs
from sqlalchemy.exc import DBAPIError

from authx_adapters.sqlalchemy.deadlines import Deadline
from authx_adapters.sqlalchemy.errors import is_outdated

T = TypeVar("T")


class Unusable(Exception):
    """A connection of the pool cannot be used, and nothing of the call was sent on it."""


@attrs.define
class Attempt:
    """One try of a call: what is known of it when it fails."""

    pooled: bool = False
    """Whether its connection was used before."""
    undone: bool = False
    """Whether it failed in a transaction whose COMMIT was not sent."""


_ATTEMPT: Final[ContextVar[Attempt]] = ContextVar("attempt")


async def repeated(once: Callable[[], Awaitable[T]], deadline: Deadline, *, reads: bool) -> T:
    """Make a call until it succeeds or fails for good. ``reads``: it may be done twice."""
    while True:
        _ATTEMPT.set(latest := Attempt())
        try:
            return await once()
        except Unusable:
            if deadline.expired:
                raise
        except DBAPIError as error:
            lost = error.connection_invalidated and (reads or latest.undone)
            if deadline.expired or not latest.pooled or not (lost or is_outdated(error)):
                raise


def attempt() -> Attempt:
    """Return the attempt that is being made."""
    return _ATTEMPT.get()


@contextmanager
def undone() -> Generator[None, None, None]:
    """Note that the attempt did nothing, if this part of a transaction fails."""
    attempt().undone = False
    try:
        yield
    except BaseException:
        attempt().undone = True
        raise


@contextmanager
def unsent() -> Generator[None, None, None]:
    """Raise `Unusable` if this fails on a connection of the pool, before anything of the call was sent on it."""
    try:
        yield
    except Exception as error:
        if attempt().pooled:
            raise Unusable from error
        raise
