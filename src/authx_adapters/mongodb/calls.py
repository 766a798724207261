"""Every call: its timeout, the process that it belongs to, and its errors."""

from __future__ import annotations

import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from datetime import timedelta

import pymongo
from pymongo.asynchronous.database import AsyncDatabase

from authx_adapters.common.timeouts import optional_seconds
from authx_adapters.mongodb.collections import AnyDatabase, AnySession
from authx_adapters.mongodb.errors import translated
from authx_core.domain import InvalidValue, PortUnavailable, Problem


class Calls:
    """The calls of one adapter.

    In a forked child, PyMongo gives a `MongoClient` new locks and connections, and issues a warning, which is
    suppressed here. An `AsyncMongoClient` belongs to the event loop of the parent, and a session to the parent alone.
    """

    def __init__(
        self,
        database: AnyDatabase,
        unavailable: type[PortUnavailable],
        timeout: timedelta | float | None,
        session: AnySession | None = None,
    ) -> None:
        """Raise PyMongo's errors as ``unavailable``. Raises `InvalidValue` for an impossible timeout."""
        self._unavailable = unavailable
        self._within = optional_seconds(timeout)
        self.is_bounded = self._within is not None or database.client.options.timeout is not None
        """Whether a call ends by itself: by our timeout, or by the client's ``timeoutMS``."""
        self._asynchronous = isinstance(database, AsyncDatabase)
        self._session = session
        self._process = os.getpid() if session else None

    @contextmanager
    def __call__(self, *, within: float | None = None, unlimited: bool = False) -> Generator[None, None, None]:
        """Limit the time of a block, including the wait for a server and a connection, and all retries.

        ``within`` (seconds) replaces the timeout of the adapter.

        Raises `InvalidValue` if the client or session belongs to another process or event loop.
        """
        within = None if unlimited else within or self._within
        with self._at_home(), translated(self._unavailable), pymongo.timeout(within) if within else nullcontext():
            yield

    @contextmanager
    def _at_home(self) -> Generator[None, None, None]:
        process = os.getpid()
        if self._process in {None, process}:
            self._process = process
            yield
        elif self._session or self._asynchronous:
            field = "session" if self._session else "client"
            reason = f"belongs to the process that this one was forked from: give each process a {field} of its own"
            raise InvalidValue(Problem(field, "forked", reason))
        else:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "MongoClient opened before fork")
                yield
            self._process = process
