"""Connections that waited in a pool: a server, a proxy or a firewall may have closed them meanwhile."""

from __future__ import annotations

import select
import time
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from authx_adapters.sqlalchemy.deadlines import Deadline, descriptor

LONG: Final = 60.0
"""Seconds after which an idle connection is asked for a sign of life before it is used. Firewalls and balancers forget
idle ones without a word after minutes: Azure's after 4, AWS's after 350 seconds."""
_PING: Final = 1.0
"""Seconds that the answer may take, or half of the call's time if that is less: a new connection must still be made."""
_SINCE: Final = "authx_idle_since"
_DEADLINE: Final = "authx_deadline"


def track(engine: Engine) -> None:
    """Note on each of the engine's connections since when it is idle, and end deadlines as it comes back."""
    if not event.contains(engine, "checkin", _came_back):
        event.listen(engine, "checkin", _came_back)


def take(connection: Connection, deadline: Deadline) -> bool:
    """Take a connection of the pool into use until the deadline; tell whether it was used before."""
    info = connection.info
    info[_DEADLINE] = deadline
    deadline.watch(connection.connection.driver_connection)
    return _SINCE in info


def is_alive(connection: Connection, deadline: Deadline) -> bool:
    """Whether a connection that waited in the pool can be used. One that cannot is invalidated.

    This costs a round trip only if the connection was idle for long, or if something has arrived unasked, which is
    mostly the end. So nothing of the call was sent on a connection that is dead.
    """
    if connection.dialect.name == "sqlite":
        return True
    found = descriptor(connection.connection.driver_connection)
    idle = time.time() - connection.info[_SINCE]  # less than 0 if the system's clock was set back
    return (0 <= idle < LONG and not _has_news(found)) or _answers(connection, deadline)


def _answers(connection: Connection, deadline: Deadline) -> bool:
    """Ask a connection for a sign of life, for a short time."""
    with deadline.shorter(_PING) as patience:
        patience.watch(connection.connection.driver_connection)
        try:
            connection.exec_driver_sql("SELECT 1")
            connection.rollback()
        except Exception:  # noqa: BLE001 - whatever a driver makes of a dead connection
            alive = False
        else:
            alive = not patience.expired
    if not alive:
        with suppress(SQLAlchemyError):
            connection.invalidate()
    return alive


def _has_news(found: int | None) -> bool:
    """Whether the peer has hung up or said something unasked."""
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
    """End the deadline of the call that held a connection, before another call may hold it."""
    deadline: Deadline | None = record.info.pop(_DEADLINE, None)
    if deadline is not None:
        deadline.release()
        if deadline.expired and record.dbapi_connection is not None:
            record.invalidate()
    record.info[_SINCE] = time.time()
