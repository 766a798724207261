"""Runs SQL, written for a `Connection`, on any client that an application may have."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AsyncExitStack, contextmanager, nullcontext, suppress
from datetime import timedelta
from typing import Final, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from authx_adapters.common.timeouts import optional_seconds
from authx_adapters.sqlalchemy.cancelling import connected, is_cancelled, shielded
from authx_adapters.sqlalchemy.connecting import in_time
from authx_adapters.sqlalchemy.deadlines import Deadline, current
from authx_adapters.sqlalchemy.errors import is_outdated, is_victim, translated
from authx_adapters.sqlalchemy.fork_gate import no_fork
from authx_adapters.sqlalchemy.locks import asynchronous_turn, limited, shorten, turn
from authx_adapters.sqlalchemy.ownership import Owner, check, claim, own
from authx_adapters.sqlalchemy.pooled import is_alive, take, track
from authx_adapters.sqlalchemy.poolers import check_pooler
from authx_adapters.sqlalchemy.retrying import Unusable, attempt, repeated, undone, unsent
from authx_adapters.sqlalchemy.schema import Tables
from authx_core.domain import InvalidValue, PortUnavailable, Problem

T = TypeVar("T")
Client: TypeAlias = Engine | AsyncEngine | Connection | AsyncConnection | Session | AsyncSession
"""The application opens and closes it."""

_READ_COMMITTED: Final = "BEGIN NOT ATOMIC SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION; END"
"""One statement of MariaDB. At the default level, two users who link accounts would block each other by index locks."""
_BEGIN: Final = {
    "sqlite": "BEGIN IMMEDIATE",  # takes the write lock at once, so that no two transactions wait for each other
    "postgresql": "BEGIN ISOLATION LEVEL READ COMMITTED",
    "mariadb": _READ_COMMITTED,
    "mysql": _READ_COMMITTED,
}
_TRIES: Final = 50
"""Attempts of a call that deadlocks abort, before it fails. Each deadlock lets one of the calls go on."""


class Database:
    """Runs functions of a `Connection`: on an engine in autocommit, otherwise in the caller's transaction."""

    def __init__(
        self, client: Client, unavailable: type[PortUnavailable], timeout: timedelta | float | None = None
    ) -> None:
        """Use ``client``. Failures of the database or its driver, and timeouts, are raised as ``unavailable``.

        Raises `InvalidValue` for an unsupported database, and for an impossible timeout.
        """
        bound = client.get_bind() if isinstance(client, Session | AsyncSession) else client
        self.name = bound.dialect.name
        if self.name not in _BEGIN:
            raise InvalidValue(Problem("client", "unsupported", "must be of PostgreSQL, MariaDB or SQLite"))
        self.joined = not isinstance(client, Engine | AsyncEngine)
        self._timeout = optional_seconds(timeout)
        self._asynchronous = isinstance(client, AsyncEngine | AsyncConnection | AsyncSession)
        engine: Engine | AsyncEngine = bound.engine  # of an `AsyncEngine`: the blocking one that it wraps
        self._engine = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
        self._maker = Owner.current(asynchronous=False)
        own(self._engine)
        if not self.joined:
            track(self._engine)
            if self._timeout is not None:
                in_time(self._engine)
        self._unavailable = unavailable
        self._client = client

    @property
    def is_mariadb(self) -> bool:
        """Whether the database is MariaDB."""
        return self.name in {"mariadb", "mysql"}

    @property
    def bounded(self) -> bool:
        """Whether every call has a timeout; inside a transaction, that is up to the caller."""
        return self.joined or self._timeout is not None

    async def run(self, work: Callable[[Connection], T], *, reads: bool = False, within: float | None = None) -> T:
        """Call ``work`` with a connection, within the timeout. If it only ``reads``, it may be called twice.

        ``within`` (seconds) replaces the timeout of the adapter.
        """
        client = self._client
        if self.joined:
            self._maker.check()
        else:
            claim(self._engine)
        with (
            Deadline(within or self._timeout, asynchronous=self._asynchronous) as deadline,
            translated(self._unavailable, deadline),
        ):
            match client:
                case Engine():
                    with nullcontext() if reads or self.name != "sqlite" else turn(client):
                        return await repeated(lambda: self._on_engine(client, work), deadline, reads=reads)
                case Session():
                    return _joined(client.connection(), work)
                case Connection():
                    return _joined(client, work)
                case _:
                    # A statement of aiosqlite goes on in its thread after a cancellation. If SQLAlchemy closes the
                    # connection meanwhile, a transaction stays open in SQLite and locks out all others.
                    calling = self._asynchronously(client, work, deadline, reads=reads)
                    return await shielded(calling, stoppable=self.name != "sqlite")

    async def _asynchronously(
        self,
        client: AsyncEngine | AsyncConnection | AsyncSession,
        work: Callable[[Connection], T],
        deadline: Deadline,
        *,
        reads: bool,
    ) -> T:
        match client:
            case AsyncEngine():
                engine = client.sync_engine
                async with nullcontext() if reads or self.name != "sqlite" else asynchronous_turn(engine):
                    return await repeated(lambda: self._on_async_engine(client, work), deadline, reads=reads)
            case AsyncConnection():
                async with deadline.waiting():
                    return await client.run_sync(_unless_cancelled, _joined, work)
            case AsyncSession():
                async with deadline.waiting():
                    return await client.run_sync(lambda session: _unless_cancelled(session.connection(), _joined, work))

    async def _on_engine(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        with no_fork() if self.name == "sqlite" else nullcontext(), engine.connect() as connection:
            return self._in_autocommit(connection, work)

    async def _on_async_engine(self, engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
        async with AsyncExitStack() as stack:
            async with current().waiting():
                connection = await stack.enter_async_context(engine.connect())
            return await connection.run_sync(_unless_cancelled, self._in_autocommit, work)

    async def create(self, tables: Tables) -> None:
        """Create the missing tables.

        Raises `InvalidValue` inside a caller's transaction, and `InvalidSchema` behind an unsafe pooler.
        """
        if self.joined:
            reason = "must be an engine: MariaDB would commit the caller's transaction before it creates a table"
            raise InvalidValue(Problem("client", "unsupported", reason))

        def work(connection: Connection) -> None:
            check_pooler(connection)
            with self._own_transaction(connection):
                tables.create(connection)

        await self.run(work)

    @contextmanager
    def transaction(self, connection: Connection, *, needed: bool = True) -> Generator[None, None, None]:
        """Make several statements one transaction, if ``needed``; inside a caller's, always make a savepoint.

        Without one, the error of a statement would abort the caller's transaction.
        """
        if self.joined:
            with connection.begin_nested():
                yield
        elif needed:
            with self._own_transaction(connection):
                yield
        else:
            yield

    @contextmanager
    def _own_transaction(self, connection: Connection) -> Generator[None, None, None]:
        with undone():
            connection.exec_driver_sql(_BEGIN[self.name])
        try:
            with undone():
                yield
                shorten(connection)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            if _is_usable(connection):
                with _invalidated_on_error(connection):
                    connection.exec_driver_sql("ROLLBACK")
            raise

    def _in_autocommit(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        """Do the work in autocommit: by the engine's setting, or else for the time of this call.

        SQLAlchemy's execution option for it would leak the connection if the call were cancelled while it is set.
        """
        used = take(connection, current())
        attempt().pooled = used
        with _invalidated_on_error(connection):
            if used and not is_alive(connection, current()):
                raise Unusable
        dialect, driver = connection.dialect, connection.connection.dbapi_connection
        if driver is None or dialect.detect_autocommit_setting(driver):
            return self._repeated(connection, work)
        with _invalidated_on_error(connection), unsent():
            dialect.set_isolation_level(driver, "AUTOCOMMIT")
        try:
            return self._repeated(connection, work)
        finally:
            if _is_usable(connection):
                with _invalidated_on_error(connection):
                    dialect.reset_isolation_level(driver)

    def _repeated(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        """Repeat the work if the database aborted it because of a deadlock: nothing of it was kept."""
        with limited(connection):
            for _ in range(_TRIES - 1):
                try:
                    return work(connection)
                except DBAPIError as error:
                    if is_outdated(error):
                        connection.invalidate(error)
                    if connection.invalidated or not is_victim(error):
                        raise
            return work(connection)


def _unless_cancelled(
    connection: Connection, do: Callable[[Connection, Callable[[Connection], T]], T], work: Callable[[Connection], T]
) -> T:
    """Do the work, and invalidate the connection if the task was cancelled."""
    connected()
    try:
        return do(connection, work)
    finally:
        if not _is_usable(connection):
            with suppress(SQLAlchemyError):
                connection.invalidate()


def _is_usable(connection: Connection) -> bool:
    """Whether a connection may be used further: not if its task was cancelled, even if the driver has lost that."""
    return not connection.invalidated and not is_cancelled()


def _joined(connection: Connection, work: Callable[[Connection], T]) -> T:
    """Do the work in the caller's transaction, which has begun or begins now."""
    check(connection)
    driver = connection.connection
    current().watch(driver.driver_connection)
    if driver.dbapi_connection is not None and connection.dialect.detect_autocommit_setting(driver.dbapi_connection):
        raise InvalidValue(
            Problem("client", "autocommit", "must not be in autocommit: there is no transaction to join")
        )
    if connection.dialect.name == "sqlite" and not getattr(driver.driver_connection, "in_transaction", True):
        # Python's driver begins a transaction with the first write; the end of an earlier savepoint would commit.
        connection.exec_driver_sql("BEGIN")
    try:
        with limited(connection):
            return work(connection)
    except DBAPIError as error:
        if is_outdated(error):
            connection.invalidate(error)  # otherwise the caller's next transaction on it would fail too
        raise


@contextmanager
def _invalidated_on_error(connection: Connection) -> Generator[None, None, None]:
    """Invalidate the connection if the block fails or is cancelled."""
    try:
        yield
    except BaseException:
        with suppress(SQLAlchemyError):
            connection.invalidate()
        raise
