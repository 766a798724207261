"""Engines from URLs."""

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

DATABASES: Final[Mapping[str, tuple[str, str]]] = {
    "sqlite": ("pysqlite", "pysqlite"),
    "postgresql": ("psycopg", "asyncpg"),
    "postgres": ("psycopg", "asyncpg"),
    "mariadb": ("pymysql", "asyncmy"),
    "mysql": ("pymysql", "asyncmy"),
}
"""Databases, with the drivers for a blocking and an asynchronous caller who names none."""
_DIALECTS: Final = {"postgres": "postgresql", "mysql": "mariadb"}
_BLOCKING: Final = {"sqlite": ("pysqlite",), "postgresql": ("psycopg",), "mariadb": ("pymysql",)}
_ASYNCHRONOUS: Final = {
    "sqlite": ("aiosqlite",),
    "postgresql": ("asyncpg", "psycopg"),
    "mariadb": ("asyncmy", "aiomysql"),
}
_HOUR: Final = 3600
"""Seconds after which a connection is not used again: MariaDB closes idle ones after eight hours."""


@attrs.frozen
class Opened:
    """An engine, and whether an asynchronous caller needs threads for it."""

    engine: Engine | AsyncEngine
    in_threads: bool


def open_engine(url: Secret, field: str, timeout: float, *, blocking: bool) -> Opened:
    """Make an engine, which connects when it is first used.

    Raises `InvalidValue` for what the URL should not say, and `ImportError` for a driver that is not installed.
    """
    address = parse(url, field)
    database, _, driver = address.scheme.partition("+")
    dialect = _DIALECTS.get(database, database)
    if not driver:
        driver = DATABASES[database][not blocking]
        if driver == "asyncpg" and postgresql_options.needs_libpq(address):
            driver = "psycopg"
    _check_driver(dialect, driver, field, blocking=blocking)
    asynchronous = not blocking and driver in _ASYNCHRONOUS[dialect]
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
    """Refuse a driver that is not proved, or is of the other colour."""
    proved = _BLOCKING[dialect] if blocking else (*_ASYNCHRONOUS[dialect], *_BLOCKING[dialect])
    if driver not in proved:
        known = ", ".join(f"{dialect}+{name}://" for name in dict.fromkeys(proved))
        callers = "blocking" if blocking else "asynchronous"
        reason = f"names the driver {driver[:50]!a}, which is not proved for {callers} callers; those that are: {known}"
        raise InvalidValue(Problem(field, "unsupported", reason))


def _shown(address: Address, name: str, query: Mapping[str, str]) -> URL:
    """Return what SQLAlchemy may show: it hides a password, but no option."""
    if name.startswith("sqlite"):
        return URL.create(name, database=address.path, query=query)
    host = next(iter(address.hosts), Host(""))
    return URL.create(name, address.user, host=host.name or None, port=host.port, database=address.database)


class _Sealed:
    """Connects with arguments that stand in no frame's locals: neither here, nor in the driver's when it fails."""

    def __init__(self, arguments: Hidden) -> None:
        self._arguments = arguments
        self._must_encrypt = "ssl" in arguments

    def __call__(self, dialect: Any, _: object, positional: Any, named: dict[str, Any]) -> Any:
        try:
            connection = dialect.connect(*positional, **{**named, **self._arguments})
            if self._must_encrypt:
                mariadb_options.check_encrypted(connection)
        except BaseException as error:  # noqa: BLE001 - a cancellation has passed the driver's frames too
            failed = bare(error)
        else:
            return connection
        try:
            raise failed
        finally:
            del failed
