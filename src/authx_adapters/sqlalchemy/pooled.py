"""Idle connections of a pool: a server, a proxy or a firewall may have closed them."""

from __future__ import annotations

import select
import time
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from authx_adapters.sqlalchemy.deadlines import Deadline, descriptor

LONG: Final = 60.0
"""Seconds after which an idle connection is pinged before it is used. Firewalls and load balancers silently drop idle
ones: Azure's after 4 minutes, AWS's after 350 seconds."""
_PING: Final = 1.0
"""Seconds for the answer, or half of the call's remaining time if that is less: a new connection may be needed."""
_SINCE: Final = "authx_idle_since"
_DEADLINE: Final = "authx_deadline"


def track(engine: Engine) -> None:
    """Note when each of the engine's connections becomes idle, and end its deadline then."""
    if not event.contains(engine, "checkin", _came_back):
        event.listen(engine, "checkin", _came_back)


def take(connection: Connection, deadline: Deadline) -> bool:
    """Use a connection of the pool until the deadline. Return whether it was used before."""
    info = connection.info
    info[_DEADLINE] = deadline
    deadline.watch(connection.connection.driver_connection)
    return _SINCE in info


def is_alive(connection: Connection, deadline: Deadline) -> bool:
    """Whether an idle connection can be used; if not, invalidate it.

    This costs a round trip only if the connection was idle for long, or if its socket is readable, which usually means
    that the server has closed it. So no part of a call is sent on a dead connection.
    """
    if connection.dialect.name == "sqlite":
        return True
    found = descriptor(connection.connection.driver_connection)
    idle = time.time() - connection.info[_SINCE]  # negative if the system's clock was set back
    return (0 <= idle < LONG and not _is_readable(found)) or _answers(connection, deadline)


def _answers(connection: Connection, deadline: Deadline) -> bool:
    """Ping a connection, with a short timeout."""
    with deadline.shorter(_PING) as ping:
        ping.watch(connection.connection.driver_connection)
        try:
            connection.exec_driver_sql("SELECT 1")
            connection.rollback()
        except Exception:  # noqa: BLE001 - each driver has its own error for a dead connection
            alive = False
        else:
            alive = not ping.expired
    if not alive:
        with suppress(SQLAlchemyError):
            connection.invalidate()
    return alive


def _is_readable(found: int | None) -> bool:
    """Whether the socket is readable: the peer has closed it, or has sent something unasked."""
    if found is None:
        return False
    if found < 0:
        return True
    if not hasattr(select, "poll"):
        return bool(select.select([found], [], [], 0)[0])
    poll = select.poll()
    poll.register(found, select.POLLIN)
    return bool(poll.poll(0))


def _came_back(_: object, record: Any) -> None:
    """End the deadline of the call that used a connection, before another call may use it."""
    deadline: Deadline | None = record.info.pop(_DEADLINE, None)
    if deadline is not None:
        deadline.release()
        if deadline.expired and record.dbapi_connection is not None:
            record.invalidate()
    record.info[_SINCE] = time.time()
