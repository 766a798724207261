"""Servers that a module starts for itself, and the sockets that drivers leave behind."""

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
    """Collect sockets that cancelled or disconnected drivers left behind, so that no later test gets their warnings.

    PyMongo drops a socket whose connection attempt is interrupted. Tests for leaks of our own collect after each test.
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
    """Lend a sentinel that watches that server."""
    with closing(Sentinel(guarded)) as server:
        first_start(server)
        yield server
