"""What surrounds every call: a limit on its time, the process that it belongs to, and the words of its errors."""

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

    In a forked child, PyMongo gives a `MongoClient` new locks and connections, and warns; the warning is suppressed. An
    `AsyncMongoClient` belongs to its parent's event loop, and a session to what the server knows of its parent.
    """

    def __init__(
        self,
        database: AnyDatabase,
        unavailable: type[PortUnavailable],
        timeout: timedelta | float | None,
        session: AnySession | None = None,
    ) -> None:
        """Raise PyMongo's errors as ``unavailable``. Raises `InvalidValue` for a timeout that is not positive."""
        self._unavailable = unavailable
        self._within = optional_seconds(timeout)
        self.is_bounded = self._within is not None or database.client.options.timeout is not None
        """Whether a call ends by itself: by our timeout, or by the client's ``timeoutMS``."""
        self._asynchronous = isinstance(database, AsyncDatabase)
        self._session = session
        self._process = os.getpid() if session else None

    @contextmanager
    def __call__(self, *, within: float | None = None, unlimited: bool = False) -> Generator[None, None, None]:
        """Do what is inside in time: the wait for a server, a connection and an answer, and all repetitions.

        ``within`` is another limit than the adapter's, in seconds.

        Raises `InvalidValue` in another process or event loop than the one that the client or session belongs to.
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
