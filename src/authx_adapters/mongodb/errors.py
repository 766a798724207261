"""PyMongo's errors, translated to those of the ports."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from pymongo.errors import OperationFailure, PyMongoError, WTimeoutError

from authx_adapters.common.bare import bare
from authx_core.domain import InvalidValue, PortUnavailable, Problem

_FAILED_VALIDATION: Final = 121
"""From a validator that an application gave the collection. The error quotes the document, with the password hash."""


@contextmanager
def translated(unavailable: type[PortUnavailable]) -> Generator[None, None, None]:
    """Raise PyMongo's errors as ``unavailable``. The cause is kept unless it quotes a document.

    A cancellation is raised without PyMongo's frames, which may hold the password during a login.

    Raises `InvalidValue` in an event loop that is not the client's.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        bare(error)
        raise asyncio.CancelledError(*error.args) from None  # `contextlib` would give the same object its frames again
    except RuntimeError as error:
        if "different event loop" not in str(error):
            raise
        reason = "belongs to another event loop: give each loop a client of its own"
        raise InvalidValue(Problem("client", "foreign_loop", reason)) from error
    except PyMongoError as error:
        quotes = isinstance(error, OperationFailure) and error.code == _FAILED_VALIDATION
        raise unavailable(_reason(bare(error))) from (None if quotes else error)


def _reason(error: PyMongoError) -> str:
    """Say what happened, without the server's message, which may quote keys."""
    kind = type(error).__name__
    if isinstance(error, WTimeoutError):
        return f"{kind}: no majority has acknowledged the write yet, but it may still be kept"
    if isinstance(error, OperationFailure):
        return f"{kind}: {(error.details or {}).get('codeName', error.code)}"
    sentence, _, _ = str(error).partition(" (configured timeouts")  # the rest is the whole topology
    return f"{kind}: {sentence}"[:300]
