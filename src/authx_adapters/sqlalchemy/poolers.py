"""Poolers that share a server connection among many clients, who then mix up their prepared statements."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from authx_adapters.sqlalchemy.errors import code
from authx_adapters.sqlalchemy.second import second_connection
from authx_core.domain import InvalidSchema, Problem

_ADVICE: Final = {
    "psycopg": "open the engine with connect_args={'prepare_threshold': None}",
    "asyncpg": (
        "asyncpg prepares every statement, so use postgresql+psycopg:// with connect_args={'prepare_threshold': None}"
    ),
}
"""The advice for each driver. psycopg prepares a statement after five runs."""
_MIXED_UP: Final = frozenset({"42P05", "26000"})
"""SQLSTATEs of a statement that is prepared already, and of one that is not: another client has used the connection."""
_ROUNDS: Final = 10
"""Attempts to find a server connection that two of our connections share."""


def check_pooler(connection: Connection) -> None:
    """Raise `InvalidSchema` behind a pooler in transaction mode, if the driver prepares statements by name.

    Otherwise a call could run a statement that another client prepared under the same name.
    """
    advice = _ADVICE.get(connection.dialect.driver)
    if connection.dialect.name != "postgresql" or advice is None:
        return
    driver: Any = connection.connection.driver_connection
    if getattr(driver, "prepare_threshold", 0) is None:
        return
    try:
        shared = _pid(connection) != _pid_at_login(driver) and _is_shared(connection)
    except DBAPIError as error:
        if code(error) not in _MIXED_UP:
            raise
        shared = True
    if shared:
        reason = f"shares server connections among clients (transaction mode), which mixes up statements: {advice}"
        raise InvalidSchema(Problem("pooler", "unsafe", reason))


def _pid_at_login(driver: Any) -> int:
    """Return the process id that the server sent at login; a pooler sends one of its own."""
    return int(driver.get_server_pid() if hasattr(driver, "get_server_pid") else driver.info.backend_pid)


def _is_shared(connection: Connection) -> bool:
    """Whether two of our connections use the same server connection, as they never do in session mode."""
    ours, others = set[int](), set[int]()
    with second_connection(connection) as second:
        for round_ in range(_ROUNDS):
            ours.add(_pid(connection, round_))
            others.add(_pid(second, round_))
            if ours & others:
                return True
    return False


def _pid(connection: Connection, number: int = 0) -> int:
    """Return the id of the server process that answers. Each query differs, so that psycopg prepares none."""
    return int(connection.execute(text(f"SELECT pg_backend_pid() + 0 * {number}")).scalar_one())
