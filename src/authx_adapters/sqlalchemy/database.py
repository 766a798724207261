"""The one seam between the SQL, written once, and the clients that an application may have."""

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
from authx_adapters.sqlalchemy.deadlines import Deadline, current
from authx_adapters.sqlalchemy.errors import is_outdated, is_victim, translated
from authx_adapters.sqlalchemy.locks import asynchronous_turn, hurry, patient, turn
from authx_adapters.sqlalchemy.making import in_time
from authx_adapters.sqlalchemy.ownership import Owner, check, claim, own
from authx_adapters.sqlalchemy.pooled import is_alive, take, track
from authx_adapters.sqlalchemy.poolers import check_pooler
from authx_adapters.sqlalchemy.retrying import Unusable, attempt, repeated, undone, unsent
from authx_adapters.sqlalchemy.schema import Tables
from authx_core.domain import InvalidValue, PortUnavailable, Problem

T = TypeVar("T")
Client: TypeAlias = Engine | AsyncEngine | Connection | AsyncConnection | Session | AsyncSession
"""Whose life is its owner's."""

_READ_COMMITTED: Final = "BEGIN NOT ATOMIC SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION; END"
"""One statement, of MariaDB's. At its own level, two users who link an account lock each other's place in the index."""
_BEGIN: Final = {
    "sqlite": "BEGIN IMMEDIATE",  # holds the write lock from the start, so that no two transactions wait for each other
    "postgresql": "BEGIN ISOLATION LEVEL READ COMMITTED",
    "mariadb": _READ_COMMITTED,
    "mysql": _READ_COMMITTED,
}
_TRIES: Final = 50
"""Of a victim of deadlocks, before its caller is told; each has a winner, though not always the same call."""


class Database:
    """Runs functions of a `Connection`: over an engine in autocommit, or else inside the caller's transaction."""

    def __init__(
        self, client: Client, unavailable: type[PortUnavailable], timeout: timedelta | float | None = None
    ) -> None:
        """Use ``client``; a failure of the database or its driver becomes ``unavailable``, and so does a timeout.

        Raises `InvalidValue` for a database that is not proved, and for a timeout that is none.
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
        """Whether statements are MariaDB's."""
        return self.name in {"mariadb", "mysql"}

    @property
    def bounded(self) -> bool:
        """Whether every call ends in time; inside a transaction, that is its owner's concern."""
        return self.joined or self._timeout is not None

    async def run(self, work: Callable[[Connection], T], *, reads: bool = False, within: float | None = None) -> T:
        """Take a connection of whichever kind through the work, in time. If it only reads, it may be done twice.

        ``within`` is another limit than the adapter's, in seconds.
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
                    return _inside(client.connection(), work)
                case Connection():
                    return _inside(client, work)
                case _:
                    # A statement on aiosqlite runs in a thread and goes on regardless. To close its connection
                    # meanwhile, as SQLAlchemy does, leaves SQLite with a transaction that locks out all others.
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
                    return await client.run_sync(_unless_cancelled, _inside, work)
            case AsyncSession():
                async with deadline.waiting():
                    return await client.run_sync(lambda session: _unless_cancelled(session.connection(), _inside, work))

    async def _on_engine(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        with engine.connect() as connection:
            return self._alone(connection, work)

    async def _on_async_engine(self, engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
        async with AsyncExitStack() as stack:
            async with current().waiting():
                connection = await stack.enter_async_context(engine.connect())
            return await connection.run_sync(_unless_cancelled, self._alone, work)

    async def create(self, tables: Tables) -> None:
        """Create the tables that are missing.

        Raises `InvalidValue` inside the caller's transaction, and `InvalidSchema` behind an unsafe pooler.
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
        """Make one of several statements. Inside the caller's transaction: of every write, by a savepoint.

        There, an error in a statement would poison all that the caller has done so far.
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
                hurry(connection)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            if _is_usable(connection):
                with _whole(connection):
                    connection.exec_driver_sql("ROLLBACK")
            raise

    def _alone(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        """Do the work in autocommit, which is an engine's setting or else lasts as long as this.

        SQLAlchemy's own execution option would lose the connection if it were cancelled while it sets that.
        """
        used = take(connection, current())
        attempt().pooled = used
        with _whole(connection):
            if used and not is_alive(connection, current()):
                raise Unusable
        dialect, driver = connection.dialect, connection.connection.dbapi_connection
        if driver is None or dialect.detect_autocommit_setting(driver):
            return self._repeated(connection, work)
        with _whole(connection), unsent():
            dialect.set_isolation_level(driver, "AUTOCOMMIT")
        try:
            return self._repeated(connection, work)
        finally:
            if _is_usable(connection):
                with _whole(connection):
                    dialect.reset_isolation_level(driver)

    def _repeated(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        """Do the work again if the database chose it as the victim of a deadlock: nothing of it was kept."""
        with patient(connection):
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
    """Do the work, and invalidate the connection if the task was cancelled meanwhile."""
    connected()
    try:
        return do(connection, work)
    finally:
        if not _is_usable(connection):
            with suppress(SQLAlchemyError):
                connection.invalidate()


def _is_usable(connection: Connection) -> bool:
    """Whether to go on with a connection: not if its task was cancelled, whatever the driver made of that."""
    return not connection.invalidated and not is_cancelled()


def _inside(connection: Connection, work: Callable[[Connection], T]) -> T:
    """Do the work inside the caller's transaction, which has begun or begins here."""
    check(connection)
    driver = connection.connection
    current().watch(driver.driver_connection)
    if driver.dbapi_connection is not None and connection.dialect.detect_autocommit_setting(driver.dbapi_connection):
        raise InvalidValue(
            Problem("client", "autocommit", "must not be in autocommit: there is no transaction to join")
        )
    if connection.dialect.name == "sqlite" and not getattr(driver.driver_connection, "in_transaction", True):
        # Python's driver begins a transaction only with the first write, and a savepoint before it would end one.
        connection.exec_driver_sql("BEGIN")
    try:
        with patient(connection):
            return work(connection)
    except DBAPIError as error:
        if is_outdated(error):
            connection.invalidate(error)  # else the caller's next transaction on it fails alike
        raise


@contextmanager
def _whole(connection: Connection) -> Generator[None, None, None]:
    """Let nobody use a connection again on which something was cut short."""
    try:
        yield
    except BaseException:
        with suppress(SQLAlchemyError):
            connection.invalidate()
        raise
