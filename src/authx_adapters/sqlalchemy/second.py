"""A second connection beside the pool, even if the pool has only one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection

from authx_adapters.sqlalchemy.deadlines import current


@contextmanager
def second_connection(connection: Connection) -> Generator[Connection, None, None]:
    """Open a new connection as the engine would, within the deadline of the call, and close it after the block."""
    pool = connection.engine.pool.recreate()
    try:
        with Connection(connection.engine, pool.connect()) as second:
            yield second
    finally:
        pool.dispose()
        current().watch(connection.connection.driver_connection)
