"""Sockets that drivers leave behind are collected with the module that used them."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def sockets_collected() -> Iterator[None]:
    """Collect what a driver that was cancelled or cut off left to the garbage collector, before another test does.

    PyMongo drops a socket that it was just connecting. Tests of our own leaks collect after each test.
    """
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "unclosed <socket", ResourceWarning)
        gc.collect()
