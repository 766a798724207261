"""MariaDB Galera: a cluster whose nodes all take writes. By default, each sees the others' writes a moment later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

from sqlalchemy import Connection, text

from authx_core.domain import Problem

T = TypeVar("T")
_SET: Final = "on each connection, SET SESSION wsrep_retry_autocommit = 0, wsrep_sync_wait = 7"
_READS: Final = 1
"""The bit of `wsrep_sync_wait` that makes a read wait for the writes of other nodes."""
_NODE: Final = "authx_galera_node"


def removed(connection: Connection, remove: Callable[[], T], exists: Callable[[], object]) -> T:
    """Remove a row, even if another node has just written it.

    With `wsrep_sync_wait = 1`, reads wait for such a write, but deletions do not, so a deletion is repeated if a read
    finds the row. Inside a caller's transaction there is only one deletion, since a read there may see a removed row.
    """
    done = remove()
    while not done and _is_node(connection) and exists():
        done = remove()
    return done


def problems(connection: Connection) -> Iterator[Problem]:
    """Check the settings of a connection to a node."""
    found = _settings(connection)
    if not found:
        return
    retries, waits = found["wsrep_retry_autocommit"], found["wsrep_sync_wait"]
    if retries != "0":
        reason = (
            f"is {retries}, so a node repeats a statement that lost a race against another node, although it has "
            f"answered already, and a link works twice: {_SET}"
        )
        yield Problem("wsrep_retry_autocommit", "unsafe", reason)
    if not int(waits) & _READS:
        reason = f"is {waits}, so a node does not see the latest writes of another, and a kicked user stays: {_SET}"
        yield Problem("wsrep_sync_wait", "unsafe", reason)


def _is_node(connection: Connection) -> bool:
    """Whether the server is a node of a cluster, and we are in autocommit. Each connection asks once."""
    driver = connection.connection.dbapi_connection
    if connection.dialect.name not in {"mariadb", "mysql"} or driver is None:
        return False
    if not connection.dialect.detect_autocommit_setting(driver):
        return False
    if _NODE not in connection.info:
        connection.info[_NODE] = bool(_settings(connection))
    return bool(connection.info[_NODE])


def _settings(connection: Connection) -> Mapping[str, str]:
    """Return the settings of a node; nothing if the server is alone, or was built without Galera."""
    names = "'wsrep_on', 'wsrep_provider', 'wsrep_retry_autocommit', 'wsrep_sync_wait'"
    rows = connection.execute(text(f"SHOW VARIABLES WHERE Variable_name IN ({names})"))
    found = {str(name): str(value) for name, value in rows}
    return found if found.get("wsrep_on") == "ON" and found.get("wsrep_provider") != "none" else {}
