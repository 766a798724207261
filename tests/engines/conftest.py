"""Servers that several modules start for themselves, and the sockets that drivers leave behind."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import closing

import pytest

from servers.private import first_start
from servers.redis import Guarded, Sentinel


@pytest.fixture(autouse=True, scope="module")
def sockets_collected() -> Iterator[None]:
    """Collect what a driver that was cancelled or cut off left to the garbage collector, before another test does.

    PyMongo drops a socket that it was just connecting. Tests of our own leaks collect after each test.
    """
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "unclosed <socket", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    """Lend a Redis server that asks for a password."""
    with closing(Guarded()) as server:
        first_start(server)
        yield server


@pytest.fixture(scope="module")
def sentinel(guarded: Guarded) -> Iterator[Sentinel]:
    """Lend the sentinel of that server."""
    with closing(Sentinel(guarded)) as server:
        first_start(server)
        yield server
