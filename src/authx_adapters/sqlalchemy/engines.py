"""Engines of SQLAlchemy from URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from authx_adapters.common.address import Address, Hidden, Host, parse
from authx_adapters.common.bare import bare
from authx_adapters.sqlalchemy import mariadb_options, postgresql_options, sqlite_options
from authx_core import InvalidValue, Problem
from authx_core.domain.secret import Secret


@attrs.frozen
class _Drivers:
    """The drivers of a database that the contract was proved on."""

    blocking: str
    asynchronous: tuple[str, ...]
    usual: str
    """For an asynchronous caller whose URL names none: SQLite is fastest in threads."""


_DATABASES: Final[Mapping[str, _Drivers]] = {
    "sqlite": _Drivers("pysqlite", ("aiosqlite",), usual="pysqlite"),
    "postgresql": _Drivers("psycopg", ("asyncpg", "psycopg"), usual="asyncpg"),
    "mariadb": _Drivers("pymysql", ("asyncmy", "aiomysql"), usual="asyncmy"),
}
_DIALECTS: Final = {"postgres": "postgresql", "mysql": "mariadb"}
_HOUR: Final = 3600
"""Seconds after which a connection is replaced: MariaDB closes idle ones after eight hours."""


@attrs.frozen
class Opened:
    """An engine, and whether an asynchronous caller must use it in threads."""

    engine: Engine | AsyncEngine
    in_threads: bool


def open_engine(url: Secret, field: str, timeout: float, *, blocking: bool) -> Opened:
    """Make an engine, which connects when it is first used.

    Raises `InvalidValue` for an impossible URL, and `ImportError` for a driver that is not installed.
    """
    address = parse(url, field)
    database, _, driver = address.scheme.partition("+")
    dialect = _DIALECTS.get(database, database)
    drivers = _DATABASES[dialect]
    if not driver:
        driver = drivers.blocking if blocking else drivers.usual
        if driver == "asyncpg" and postgresql_options.needs_libpq(address):
            driver = "psycopg"
    _check_driver(dialect, driver, field, blocking=blocking)
    asynchronous = not blocking and driver in drivers.asynchronous
    query = Hidden()
    if dialect == "sqlite":
        arguments, query = sqlite_options.arguments(address, field, timeout)
        pool = Hidden()
    else:
        options = postgresql_options if dialect == "postgresql" else mariadb_options
        arguments, pool = options.arguments(address, field, driver, timeout)
    engine: Any = (create_async_engine if asynchronous else create_engine)(
        _shown(address, f"{dialect}+{driver}", query),
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
        pool_recycle=_HOUR,
        pool_timeout=timeout,
        skip_autocommit_rollback=True,
        **pool,
    )
    listen(engine.sync_engine if asynchronous else engine, "do_connect", _Sealed(arguments))
    return Opened(engine, in_threads=not blocking and not asynchronous)


def _check_driver(dialect: str, driver: str, field: str, *, blocking: bool) -> None:
    """Refuse an unsupported driver, and an asynchronous one for blocking callers."""
    drivers = _DATABASES[dialect]
    proved = (drivers.blocking,) if blocking else (*drivers.asynchronous, drivers.blocking)
    if driver not in proved:
        known = ", ".join(f"{dialect}+{name}://" for name in dict.fromkeys(proved))
        callers = "blocking" if blocking else "asynchronous"
        reason = f"names the driver {driver[:50]!a}, not supported for {callers} callers; supported are: {known}"
        raise InvalidValue(Problem(field, "unsupported", reason))


def _shown(address: Address, name: str, query: Mapping[str, str]) -> URL:
    """Return the URL that SQLAlchemy may show: it hides a password, but not the options."""
    if name.startswith("sqlite"):
        return URL.create(name, database=address.path, query=query)
    host = next(iter(address.hosts), Host(""))
    return URL.create(name, address.user, host=host.name or None, port=host.port, database=address.database)


class _Sealed:
    """Connects with arguments that no traceback shows: neither the locals here, nor those of the driver."""

    def __init__(self, arguments: Hidden) -> None:
        self._arguments = arguments
        self._must_encrypt = "ssl" in arguments

    def __call__(self, dialect: Any, _: object, positional: Any, named: dict[str, Any]) -> Any:
        try:
            connection = dialect.connect(*positional, **{**named, **self._arguments})
            if self._must_encrypt:
                mariadb_options.check_encrypted(connection)
        except BaseException as error:  # noqa: BLE001 - a cancellation has the driver's frames too
            failed = bare(error)
        else:
            return connection
        try:
            raise failed
        finally:
            del failed
