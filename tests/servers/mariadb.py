"""MariaDB, from the PATH: installed by the Debian package `mariadb-server` or by `.ci/run`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pymysql
from pymysql.cursors import Cursor

from servers.process import Server, program

USUAL = ("mariadb://root@127.0.0.1:3306/test",)

SETTINGS = {
    "bind-address": "127.0.0.1",
    "character-set-server": "utf8mb4",
    "innodb-buffer-pool-size": "64M",
    "innodb-flush-log-at-trx-commit": "2",  # a commit reaches the operating system, not the disk
    "innodb-log-file-size": "16M",
    "log-bin": "log",
    "max-connections": "250",
    "socket": "socket",
}


class MariaDB(Server):
    kind = "mariadb"
    refuses_root = True

    def __init__(self) -> None:
        super().__init__()
        self.url = f"mariadb://root@127.0.0.1:{self.port}/test"

    def prepare(self) -> None:
        self._server = program("mariadbd")
        options = ("--auth-root-authentication-method=normal", "--skip-name-resolve", "--skip-test-db")
        self.run(program("mariadb-install-db"), "--no-defaults", f"--datadir={self.folder / 'data'}", *options)

    def command(self) -> Sequence[str | Path]:
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        place = (f"--datadir={self.folder / 'data'}", f"--port={self.port}", "--skip-name-resolve")
        return [self._server, "--no-defaults", *place, *settings]

    def answers(self) -> bool:
        return admits(self.url)


@contextmanager
def connect(url: str) -> Iterator[Cursor]:
    """Connect to the server, without a database."""
    parts = urlsplit(url)
    user, password = unquote(parts.username or "root"), unquote(parts.password or "")
    with (
        pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=user,
            password=password,
            autocommit=True,
            connect_timeout=5,
        ) as connection,
        connection.cursor() as cursor,
    ):
        yield cursor


def admits(url: str) -> bool:
    """Return whether a MariaDB answers at the URL and lets us create databases; create the one that it names."""
    try:
        with connect(url) as cursor:
            cursor.execute("SELECT version()")
            (version,) = cursor.fetchone() or ("",)
            create_database(url, urlsplit(url).path[1:])
            return "MariaDB" in version
    except pymysql.MySQLError:
        return False


def create_database(url: str, name: str) -> None:
    with connect(url) as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4")


def drop_database(url: str, name: str) -> None:
    """Drop a database after killing its connections: an open transaction would block the drop."""
    with connect(url) as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (name,))
        for (connection,) in cursor.fetchall():
            with suppress(pymysql.OperationalError):  # it has just gone
                cursor.execute("KILL CONNECTION %s", (connection,))
        cursor.execute(f"DROP DATABASE `{name}`")
