"""Locks that are open in a forked child, whichever thread of its parent held them."""

from __future__ import annotations

import os
from typing import Any, Final, TypeVar
from weakref import WeakSet

_Lock = TypeVar("_Lock")
_locks: Final[WeakSet[Any]] = WeakSet()


def forkable(lock: _Lock) -> _Lock:
    """Return the lock; no fork leaves it locked for ever, for the thread that would release it is not in the child."""
    _locks.add(lock)
    return lock


def renew(lock: Any) -> None:
    """Open a lock, as the standard library does with its own; those who share it go on sharing it."""
    lock._at_fork_reinit()  # noqa: SLF001 - there is no other way: `release` would fail on a lock that is open


def _renew_all() -> None:
    for lock in _locks:
        renew(lock)


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew_all)
