"""Locks that are free in a forked child, even if a thread of its parent held them."""

from __future__ import annotations

import os
from typing import Any, Final, TypeVar
from weakref import WeakSet

_Lock = TypeVar("_Lock")
_locks: Final[WeakSet[Any]] = WeakSet()


def forkable(lock: _Lock) -> _Lock:
    """Return the lock, and release it in every forked child, which lacks the thread that would do so."""
    _locks.add(lock)
    return lock


def renew(lock: Any) -> None:
    """Release a lock in a child, as the standard library does with its own locks."""
    lock._at_fork_reinit()  # noqa: SLF001 - there is no other way: `release` fails on a lock that nobody holds


def _renew_all() -> None:
    for lock in _locks:
        renew(lock)


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew_all)
