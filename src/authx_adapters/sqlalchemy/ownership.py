"""The owner of a connection: the process that opened it and, if it is asynchronous, one of its event loops.

A forked child shares the sockets of its parent. On an inherited connection it would read the parent's replies, and to
close one would end the parent's session. So a child drops an inherited pool without closing it, and makes a new one.
The connections of a closed event loop cannot be closed properly either: their sockets are closed, and the pool is
dropped.
"""

from __future__ import annotations

import asyncio
import ctypes
import inspect
import os
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet

import attrs
from sqlalchemy import AdaptedConnection, Connection, Engine, NullPool, Pool, event
from sqlalchemy.exc import DisconnectionError

from authx_adapters.common.forks import forkable
from authx_core.domain import InvalidValue, Problem

_OWNER: Final = "authx_owner"


@attrs.frozen
class Owner:
    """A process and, for asynchronous connections, an event loop."""

    process: int
    loop: asyncio.AbstractEventLoop | None

    @classmethod
    def current(cls, *, asynchronous: bool) -> Owner:
        """Return the present process and event loop."""
        return cls(os.getpid(), asyncio.get_running_loop() if asynchronous else None)

    def check(self) -> None:
        """Raise `InvalidValue` in another process or event loop."""
        if self.process != os.getpid():
            reason = "was made before this process was forked: make a client in each process"
            raise InvalidValue(Problem("client", "forked", reason))
        if self.loop is not None and self.loop is not asyncio.get_running_loop():
            reason = "belongs to another event loop: give each loop an engine of its own"
            raise InvalidValue(Problem("client", "foreign_loop", reason))

    @property
    def is_gone(self) -> bool:
        """Whether the loop was closed, so that nobody in this process can use its connections."""
        return self.process == os.getpid() and self.loop is not None and self.loop.is_closed()


_lock: Final = forkable(Lock())
_engines: Final[WeakSet[Engine]] = WeakSet()
_owners: Final[WeakKeyDictionary[Pool, Owner]] = WeakKeyDictionary()


@event.listens_for(Pool, "connect")
def _opened(connection: Any, record: Any) -> None:
    """Note the owner on every new connection, also on those that the application opens for itself."""
    record.info[_OWNER] = Owner.current(asynchronous=isinstance(connection, AdaptedConnection))


def _taken(connection: Any, record: Any, fairy: Any) -> None:
    """Replace a connection of another owner, which the application left in the pool before it gave us the engine."""
    owner: Owner | None = record.info.get(_OWNER)
    if owner is None or (owner.process == os.getpid() and not owner.is_gone):
        return
    _drop(connection, owner)
    record.dbapi_connection = fairy.dbapi_connection = None  # as in SQLAlchemy's manual
    raise DisconnectionError("it belongs to another process or event loop")


def own(engine: Engine) -> None:
    """Check the connections of an engine from now on."""
    if engine not in _engines:
        _engines.add(engine)
        event.listen(engine, "checkout", _taken)


def claim(engine: Engine) -> None:
    """Take over the engine's pool. Raises `InvalidValue` if it belongs to another loop that is not closed yet."""
    current = Owner.current(asynchronous=engine.dialect.is_async)
    with _lock:
        owner = _owners.get(engine.pool)
        if owner is not None and owner != current:
            if owner.process != current.process:
                _abandon(engine)
            elif isinstance(engine.pool, NullPool):
                pass  # keeps no connections
            elif owner.is_gone:
                _bury(engine, owner)
            else:
                owner.check()
        _owners[engine.pool] = current


def check(connection: Connection) -> None:
    """Raise `InvalidValue` if a caller's connection belongs to another process or event loop."""
    owner: Owner | None = connection.info.get(_OWNER)
    if owner is not None:
        owner.check()


def _abandon(engine: Engine) -> None:
    """Give an engine a new pool in a child, even if other threads of the parent were using the inherited one."""
    if engine.dialect.name == "sqlite" and not engine.dialect.is_async and _is_in_memory(engine):
        return  # the child has a copy of it
    _keep_for_ever(engine.pool)
    engine.dispose(close=False)
    _initialize_again(engine)


def _initialize_again(engine: Engine) -> None:
    """Let SQLAlchemy ask for the server's version and defaults again: a thread of the parent may have been doing so.

    A listener asks once, at the first connection of an engine. There is no public way to call it again.
    """
    for listener in engine.pool.dispatch.connect:
        if getattr(listener, "__qualname__", None) == "only_once.<locals>.go":
            inside = inspect.getclosurevars(listener).nonlocals
            with suppress(KeyError):  # if another version of SQLAlchemy has other names
                if not inside["once"]:
                    inside["once"].append(inside["fn"])


def _is_in_memory(engine: Engine) -> bool:
    name = engine.url.database or ""
    return name in {"", ":memory:"} or "mode=memory" in str(engine.url)


def _bury(engine: Engine, owner: Owner) -> None:
    """Give an engine a new pool, and close the connections that the loop left in the old one."""
    pool: Any = engine.pool
    engine.dispose(close=False)
    while hasattr(pool, "checkedin") and pool.checkedin():
        record = pool._do_get()  # noqa: SLF001 - `connect` would ping it
        if record.dbapi_connection is not None:
            _drop(record.dbapi_connection, owner)
            record.dbapi_connection = None


def _drop(connection: Any, owner: Owner) -> None:
    """Drop a connection that cannot be closed properly."""
    if owner.process != os.getpid():
        _keep_for_ever(connection)
        return
    loop: Any = owner.loop
    # Transports close their sockets in a callback, which a closed loop does not accept.
    loop.call_soon = _at_once
    with suppress(Exception):
        if hasattr(connection, "_terminate_force_close"):
            connection._terminate_force_close()  # noqa: SLF001 - `terminate` would first try a proper end
        else:
            connection.driver_connection.pgconn.finish()  # psycopg, which has no transport
    with suppress(AttributeError):
        del loop.call_soon


def _at_once(callback: Callable[..., object], *args: Any, context: Any = None) -> None:  # noqa: ARG001 - as asyncio's
    callback(*args)


def _keep_for_ever(inherited: object) -> None:
    """Never finalize an object of the parent: SQLite's files may be damaged if a child merely closes them.

    See https://www.sqlite.org/howtocorrupt.html, 2.6.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(inherited))


def _forked() -> None:
    """Drop the inherited pools in a child, before its own code runs."""
    for engine in list(_engines):
        _abandon(engine)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
