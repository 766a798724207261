"""The SQLAlchemy adapters keep the contract on PostgreSQL and MariaDB, with every driver, blocking and asynchronous."""

from __future__ import annotations

from urllib.parse import urlsplit

import servers
from authx_core.contract import contract_tests
from contract.sql import SQL


class Psycopg(SQL):
    """PostgreSQL, blocking."""

    name = "postgresql-psycopg"

    @property
    def url(self) -> str:
        return urlsplit(servers.url("postgres"))._replace(scheme="postgresql+psycopg").geturl()


class AsyncPsycopg(Psycopg):
    """PostgreSQL, asynchronous."""

    name = "postgresql-psycopg-async"
    asynchronous = True


class Asyncpg(SQL):
    """PostgreSQL, asynchronous."""

    name = "postgresql-asyncpg"
    asynchronous = True

    @property
    def url(self) -> str:
        return urlsplit(servers.url("postgres"))._replace(scheme="postgresql+asyncpg").geturl()


class PyMySQL(SQL):
    """MariaDB, blocking."""

    name = "mariadb-pymysql"

    @property
    def url(self) -> str:
        return urlsplit(servers.url("mariadb"))._replace(scheme="mariadb+pymysql").geturl()


class Asyncmy(SQL):
    """MariaDB, asynchronous."""

    name = "mariadb-asyncmy"
    asynchronous = True

    @property
    def url(self) -> str:
        return urlsplit(servers.url("mariadb"))._replace(scheme="mariadb+asyncmy").geturl()


TestPsycopg = contract_tests(Psycopg)
TestAsyncPsycopg = contract_tests(AsyncPsycopg)
TestAsyncpg = contract_tests(Asyncpg)
TestPyMySQL = contract_tests(PyMySQL)
TestAsyncmy = contract_tests(Asyncmy)
