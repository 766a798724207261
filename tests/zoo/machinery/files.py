"""The base of the zoo's adapters on SQLite: a connection for each handle, and the harness that opens them on a file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from threading import Lock
from typing import ClassVar

from authx_contract import Capabilities, Harness
from authx_core.domain import PortUnavailable


class SQLiteFile:
    """A connection that threads share behind a lock; SQLite's errors become the port's."""

    schema: ClassVar[str]
    unavailable: ClassVar[type[PortUnavailable]]
    begin: ClassVar[str] = "BEGIN IMMEDIATE"  # the write lock from the start, so that no writer comes between

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        with self._statement() as db:
            while not self._is_made(db):
                time.sleep(0.001)

    def close(self) -> None:
        self._db.close()

    def _is_made(self, db: sqlite3.Connection) -> bool:
        """Make the tables; False if another connection makes the file a WAL now, for which SQLite does not wait."""
        try:
            db.executescript(self.schema)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True

    @contextmanager
    def _statement(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise self.unavailable(type(error).__name__) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._statement() as db:
            db.execute(self.begin)
            with db:  # commits at its end, or rolls back
                yield db


class OnFile(Harness):
    """Every handle is a connection of its own to the namespace's file."""

    capabilities = Capabilities(backend="embedded", namespaced=True, processes=True)

    def __init__(self) -> None:
        self.handles: list[SQLiteFile] = []

    @property
    def path(self) -> Path:
        return Path(gettempdir(), f"{type(self).__name__}-{self.namespace}.db")

    async def reset(self) -> None:
        await self.close()
        self.path.unlink(missing_ok=True)

    async def close(self) -> None:
        while self.handles:
            self.handles.pop().close()
