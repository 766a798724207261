"""Retries on another connection: of reads, and of writes of which nothing was done.

An idle connection may be dead, and its prepared statements may be outdated. A call that fails for such a reason is
retried until it gets a new connection, whose failure is final. Each failure removes a connection from the pool, so the
retries end.
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
    """A connection of the pool cannot be used; no part of the call was sent on it."""


@attrs.define
class Attempt:
    """One attempt of a call, and what is known about it when it fails."""

    pooled: bool = False
    """Whether its connection was used before."""
    undone: bool = False
    """Whether it failed in a transaction whose COMMIT was not sent."""


_ATTEMPT: Final[ContextVar[Attempt]] = ContextVar("attempt")


async def repeated(once: Callable[[], Awaitable[T]], deadline: Deadline, *, reads: bool) -> T:
    """Make a call until it succeeds or its failure is final. A call that only ``reads`` may be done twice."""
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
    """Return the present attempt."""
    return _ATTEMPT.get()


@contextmanager
def undone() -> Generator[None, None, None]:
    """Note, if this part of a transaction fails, that the attempt changed nothing."""
    attempt().undone = False
    try:
        yield
    except BaseException:
        attempt().undone = True
        raise


@contextmanager
def unsent() -> Generator[None, None, None]:
    """Raise `Unusable` if the block fails on a used connection, before a part of the call is sent."""
    try:
        yield
    except Exception as error:
        if attempt().pooled:
            raise Unusable from error
        raise
