"""PgBouncer, which pools connections to a PostgreSQL, from the Debian package `pgbouncer`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import unquote, urlsplit

import psycopg

from servers.postgresql import connect
from servers.private import first_start
from servers.process import Server, program

Mode: TypeAlias = Literal["session", "transaction"]


class PgBouncer(Server):
    kind = "pgbouncer"
    refuses_root = True

    def __init__(self, server: str, mode: Mode, size: int) -> None:
        super().__init__()
        parts = urlsplit(server)
        self.url = parts._replace(netloc=f"anybody@127.0.0.1:{self.port}").geturl()
        there = {"host": parts.hostname, "port": parts.port or 5432, "user": parts.username, "password": parts.password}
        upstream = " ".join(f"{key}='{unquote(str(value))}'" for key, value in there.items() if value is not None)
        self._settings = f"""
            [databases]
            * = {upstream}
            [pgbouncer]
            pool_mode = {mode}
            default_pool_size = {size}
            listen_addr = 127.0.0.1
            listen_port = {self.port}
            auth_type = any
            unix_socket_dir =
            server_check_delay = 0
        """

    def prepare(self) -> None:
        self._program = program("pgbouncer")
        settings = self.folder / "pgbouncer.ini"
        settings.write_text("\n".join(line.strip() for line in self._settings.splitlines()))
        settings.chmod(0o644)

    def command(self) -> Sequence[str | Path]:
        return [self._program, self.folder / "pgbouncer.ini"]

    def answers(self) -> bool:
        try:
            with connect(self.url) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.Error:
            return False


@contextmanager
def pooled(url: str, mode: Mode = "transaction", *, size: int = 2) -> Iterator[str]:
    """Start a pooler of few connections in front of a PostgreSQL database, and yield its URL."""
    server = PgBouncer(url, mode, size)
    try:
        first_start(server)
        yield server.url
    finally:
        server.close()
