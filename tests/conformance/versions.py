"""The versions that an adapter ran on: those of the engine and of its driver."""

from __future__ import annotations

import asyncio
import sqlite3
from importlib.metadata import version
from typing import Any, Final

import attrs
from pymongo import MongoClient
from sqlalchemy import Connection

from authx_contract import Harness
from contract.sql import SQL
from contract.test_mongodb import BlockingMongoDB
from contract.test_passlib import Blocking, InThreads
from contract.test_redis import BlockingRedis
from contract.test_sqlite import AsyncSQLite, BlockingSQLite
from servers.redis import ask

_NAMES: Final = {"postgresql": "PostgreSQL", "mariadb": "MariaDB"}
_DISTRIBUTIONS: Final = {"pymysql": "PyMySQL"}


@attrs.frozen
class Versions:
    """The name and version of each."""

    engine: str
    driver: str


def versions(harness: type[Harness]) -> Versions:
    """Return the versions of the server and of the installed packages."""
    if issubclass(harness, BlockingSQLite):
        driver = _installed("aiosqlite") if issubclass(harness, AsyncSQLite) else "sqlite3"
        return Versions(f"SQLite {sqlite3.sqlite_version}", _through_sqlalchemy(driver))
    if issubclass(harness, SQL):
        return asyncio.run(harness().connected(_of_connection))
    if issubclass(harness, BlockingMongoDB):
        with MongoClient[Any](harness().url) as client:
            return Versions(f"MongoDB {client.server_info()['version']}", _installed("pymongo"))
    if issubclass(harness, BlockingRedis):
        info = ask(harness().url, "INFO")
        own = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info['redis_version']}"
        return Versions(own, _installed("redis"))
    if issubclass(harness, Blocking | InThreads):
        return Versions(_installed("argon2-cffi"), _installed("libpass"))
    return Versions("Python", "none")


def _of_connection(connection: Connection) -> Versions:
    dialect = connection.dialect
    number = ".".join(map(str, dialect.server_version_info or ()))
    driver = _installed(_DISTRIBUTIONS.get(dialect.driver, dialect.driver))
    return Versions(f"{_NAMES[dialect.name]} {number}", _through_sqlalchemy(driver))


def _through_sqlalchemy(driver: str) -> str:
    return f"{driver}, {_installed('SQLAlchemy')}"


def _installed(name: str) -> str:
    return f"{name} {version(name)}"
