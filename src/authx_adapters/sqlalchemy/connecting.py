"""New connections, and the pool's pings, within the deadline of the call that waits for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillRunning
from contextlib import suppress
from threading import Thread
from typing import Any, Final

from sqlalchemy import Dialect, Engine, event

from authx_adapters.sqlalchemy.deadlines import current

_SHORTEST: Final = 2
"""Seconds: psycopg, like libpq, takes whole seconds from 2."""


def in_time(engine: Engine) -> None:
    """End an engine's connection attempts, and its pool's pings, at the deadline of the call that waits for them.

    Calls without a deadline, such as the application's own, are not changed.
    """
    if event.contains(engine, "do_connect", _connect):
        return
    event.listen(engine, "do_connect", _connect, insert=True)  # before all others
    event.listen(engine, "connect", _made, insert=True)  # before SQLAlchemy asks for the server's version
    dialect, ping = engine.dialect, engine.dialect.do_ping

    def do_ping(connection: Any) -> bool:
        current().watch(dialect.get_driver_connection(connection))
        return ping(connection)

    dialect.do_ping = do_ping  # type: ignore[method-assign,assignment] # `pool_pre_ping` has no event


def _connect(dialect: Dialect, record: object, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Connect with a blocking driver in a thread, which is abandoned at the deadline."""
    left = current().left
    if left == 0:
        current().expire()
        raise TimeoutError
    if left is None or dialect.is_async or dialect.name == "sqlite":
        return None
    given = options.get("read_timeout")
    if dialect.driver == "psycopg":
        options["connect_timeout"] = max(_SHORTEST, math.ceil(left))
    if dialect.driver == "pymysql":
        options |= {"connect_timeout": left, "read_timeout": left}

    def connect() -> Any:
        for listener in dialect.dispatch.do_connect:
            if listener is not _connect and (made := listener(dialect, record, arguments, options)) is not None:
                return made
        return dialect.connect(*arguments, **options)

    connection = _in_a_thread(connect, left)
    if getattr(connection, "_read_timeout", None) == left:
        connection._read_timeout = given  # noqa: SLF001 - the timeout was for the handshake
    return connection


def _in_a_thread(connect: Callable[[], Any], seconds: float) -> Any:
    made = Future[Any]()

    def run() -> None:
        try:
            connection = connect()
        except BaseException as error:  # noqa: BLE001 - raised in the waiting thread
            made.set_exception(error)
        else:
            made.set_result(connection)

    Thread(target=run, name="authx-connecting", daemon=True).start()
    try:
        return made.result(seconds)
    except StillRunning:
        made.add_done_callback(_close)
        current().expire()
        raise TimeoutError from None


def _close(made: Future[Any]) -> None:
    """Close a connection that was made too late."""
    with suppress(Exception):
        made.result().close()


def _made(_: object, record: Any) -> None:
    """Watch a new connection, whose first statements are SQLAlchemy's own."""
    current().watch(record.driver_connection)
