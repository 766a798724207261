"""Lets a fork wait until no other thread is inside SQLite, whose own locks would stay locked in the child for ever."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from threading import Condition, get_ident
from typing import Final

_TIMEOUT: Final = 1.0
"""Seconds that a fork waits at most; a call that waits for another process's write lock may take longer."""


class _Gate:
    """The threads that are inside SQLite, and whether a fork waits for them."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._inside = set[int]()
        self._is_forking = False

    @contextmanager
    def no_fork(self) -> Generator[None, None, None]:
        """Make forks by other threads wait until the block has ended."""
        thread = get_ident()
        if thread in self._inside:
            yield
            return
        with self._changed:
            self._changed.wait_for(lambda: not self._is_forking, _TIMEOUT)
            self._inside.add(thread)
        try:
            yield
        finally:
            with self._changed:
                self._inside.discard(thread)
                self._changed.notify_all()

    def close(self) -> None:
        """Wait until nobody else is inside, and let nobody in until the process is forked."""
        me = {get_ident()}
        self._changed.acquire()
        self._is_forking = True
        self._changed.wait_for(lambda: self._inside <= me, _TIMEOUT)

    def open(self) -> None:
        """Let the parent's threads in again."""
        self._is_forking = False
        self._changed.notify_all()
        self._changed.release()

    def open_in_child(self) -> None:
        """Begin anew: the child has the forking thread alone."""
        me = {get_ident()}
        self._inside &= me
        self._is_forking = False
        self._changed = Condition()


_gate: Final = _Gate()
no_fork: Final = _gate.no_fork

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_gate.close, after_in_parent=_gate.open, after_in_child=_gate.open_in_child)
