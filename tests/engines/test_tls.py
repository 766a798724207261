"""The TLS options of a URL work with every SQL driver, on servers with TLS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from authx_adapters import connect, connect_blocking
from authx_core import InvalidValue, StoreUnavailable
from servers import mariadb, postgresql
from servers.mariadb import MariaDB
from servers.postgresql import PostgreSQL
from servers.private import first_start
from servers.process import program


class Certified:
    """A self-signed certificate for this machine, and its key."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"
        options = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost")
        names = ("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        files = ("-keyout", str(self.key), "-out", str(self.certificate))
        subprocess.run(  # noqa: S603 - a program of the system
            [program("openssl"), "req", *options, *names, *files], check=True, capture_output=True
        )

    def settings(self, form: str) -> list[str]:
        """Return a server's options for both files."""
        return [form.format("cert", self.certificate), form.format("key", self.key)]


class SecurePostgreSQL(PostgreSQL):
    """Debian's PostgreSQL; the wheel's is built without TLS."""

    def __init__(self) -> None:
        super().__init__(program("postgres").parent)

    def prepare(self) -> None:
        super().prepare()
        self.files = Certified(self.folder)
        self.files.key.chmod(0o600)  # the server demands it, and does not run as root
        if self._as:
            os.chown(self.files.key, self._as["user"], self._as["group"])

    def command(self) -> Sequence[str | Path]:
        return [*super().command(), "--ssl=on", *self.files.settings("--ssl_{}_file={}")]


class SecureMariaDB(MariaDB):
    def prepare(self) -> None:
        super().prepare()
        self.files = Certified(self.folder)
        self.files.key.chmod(0o644)

    def command(self) -> Sequence[str | Path]:
        return [*super().command(), *self.files.settings("--ssl-{}={}")]


@pytest.fixture(scope="module")
def secure_postgresql() -> Iterator[SecurePostgreSQL]:
    with closing(SecurePostgreSQL()) as server:
        first_start(server)
        yield server


@pytest.fixture(scope="module")
def secure_mariadb() -> Iterator[SecureMariaDB]:
    with closing(SecureMariaDB()) as server:
        first_start(server)
        with mariadb.connect(server.url) as cursor:
            cursor.execute("CREATE DATABASE IF NOT EXISTS test")
            cursor.execute("CREATE USER secure@'%' REQUIRE SSL")
            cursor.execute("GRANT ALL ON test.* TO secure@'%'")
        yield server


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """A certificate that neither server has."""
    return Certified(tmp_path_factory.mktemp("stranger"))


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg", "blocking psycopg"])
async def test_tls_options_for_postgresql(
    driver: str, secure_postgresql: SecurePostgreSQL, stranger: Certified
) -> None:
    blocking, name = driver.startswith("blocking"), driver.rpartition(" ")[2]
    place = f"postgresql+{name}://{secure_postgresql.url.partition('://')[2]}"
    trusted, other = secure_postgresql.files.certificate, stranger.certificate

    async def encrypted(options: str) -> int:
        """Open a connection; return how many of ours are encrypted."""
        url = f"{place}?application_name=ours&{options}"
        query = (
            "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND application_name = 'ours'"
        )
        with postgresql.connect(secure_postgresql.url) as connection:
            if blocking:
                with connect_blocking(url, timeout=20):
                    return int((connection.execute(query).fetchone() or (0,))[0])
            async with connect(url, timeout=20):
                return int((connection.execute(query).fetchone() or (0,))[0])

    for options in ("sslmode=require", "ssl=true", f"sslmode=verify-full&sslrootcert={trusted}"):
        assert await encrypted(options) > 0, options
    assert await encrypted("sslmode=disable") == 0
    with pytest.raises(StoreUnavailable, match=r"(?i)certificate"):
        await encrypted(f"sslmode=verify-full&sslrootcert={other}")


@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql", "pymysql", "blocking pymysql"])
async def test_tls_options_for_mariadb(driver: str, secure_mariadb: SecureMariaDB, stranger: Certified) -> None:
    blocking, name = driver.startswith("blocking"), driver.rpartition(" ")[2]
    place = f"mariadb+{name}://secure@127.0.0.1:{secure_mariadb.port}/test"
    trusted, other = secure_mariadb.files.certificate, stranger.certificate

    async def opens(options: str) -> None:
        if blocking:
            with connect_blocking(f"{place}?{options}", timeout=20):
                return
        async with connect(f"{place}?{options}", timeout=20):
            return

    for options in ("ssl-mode=REQUIRED", "ssl=true", f"ssl_ca={trusted}", f"ssl-mode=VERIFY_IDENTITY&ssl-ca={trusted}"):
        await opens(options)
    for options in (f"ssl_ca={other}", "ssl-mode=VERIFY_IDENTITY", "sslaccept=strict"):
        with pytest.raises(StoreUnavailable, match=r"CERTIFICATE_VERIFY_FAILED|Can't connect"):
            await opens(options)
    with pytest.raises(StoreUnavailable, match="Access denied"):
        await opens("ssl-mode=DISABLED")
    with pytest.raises(InvalidValue, match="'ssl_ca'"):
        await opens("ssl_ca=/nowhere")
