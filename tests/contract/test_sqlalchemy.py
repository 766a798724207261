"""The SQLAlchemy adapters keep the contract on PostgreSQL and MariaDB, with every driver, blocking and asynchronous."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

import servers
from authx_contract import contract_tests
from contract.sql import SQL
from servers.spaces import DatabaseKind


class OnServer(SQL):
    """On a server that all tests share."""

    kind: ClassVar[DatabaseKind]
    scheme: ClassVar[str]

    @property
    def url(self) -> str:
        return urlsplit(servers.url(self.kind))._replace(scheme=self.scheme).geturl()


class Psycopg(OnServer):
    """PostgreSQL, blocking."""

    name = "postgresql-psycopg"
    kind = "postgres"
    scheme = "postgresql+psycopg"


class AsyncPsycopg(Psycopg):
    """PostgreSQL, asynchronous."""

    name = "postgresql-psycopg-async"
    asynchronous = True


class Asyncpg(AsyncPsycopg):
    """PostgreSQL, asynchronous."""

    name = "postgresql-asyncpg"
    scheme = "postgresql+asyncpg"


class PyMySQL(OnServer):
    """MariaDB, blocking."""

    name = "mariadb-pymysql"
    kind = "mariadb"
    scheme = "mariadb+pymysql"


class Asyncmy(PyMySQL):
    """MariaDB, asynchronous."""

    name = "mariadb-asyncmy"
    asynchronous = True
    scheme = "mariadb+asyncmy"


class Aiomysql(Asyncmy):
    """MariaDB, asynchronous."""

    name = "mariadb-aiomysql"
    scheme = "mariadb+aiomysql"


TestPsycopg = contract_tests(Psycopg)
TestAsyncPsycopg = contract_tests(AsyncPsycopg)
TestAsyncpg = contract_tests(Asyncpg)
TestPyMySQL = contract_tests(PyMySQL)
TestAsyncmy = contract_tests(Asyncmy)
TestAiomysql = contract_tests(Aiomysql)
