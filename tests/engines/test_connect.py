"""`connect` and `connect_blocking` on every server; `tests/unit` tests them on memory and SQLite."""

from __future__ import annotations

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

import servers
from authx_adapters import connect, connect_blocking
from authx_core import CacheUnavailable, InvalidSchema, InvalidValue, StoreUnavailable
from servers.spaces import DatabaseKind, RedisKind

URLS: list[tuple[DatabaseKind, str]] = [
    ("postgres", "postgresql"),
    ("postgres", "postgresql+psycopg"),
    ("postgres", "postgresql+asyncpg"),
    ("mariadb", "mariadb"),
    ("mariadb", "mysql"),
    ("mariadb", "mariadb+pymysql"),
    ("mariadb", "mariadb+aiomysql"),
    ("mongodb", "mongodb"),
    ("mongodb-replica-set", "mongodb"),
]
ONLY_ASYNCHRONOUS = {"postgresql+asyncpg", "mariadb+aiomysql"}
UNCLOSED = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
"""PyMongo drops a socket whose connection attempt is interrupted."""
TIMEOUT = 20
"""Seconds for a cache call on a busy machine; these tests are not about time."""
CALLERS = 150
"""More than redis-py's default pool serves at once."""


@pytest.mark.parametrize(("kind", "scheme"), URLS)
async def test_users_and_cache_from_one_url(kind: DatabaseKind, scheme: str) -> None:
    with servers.database(kind) as lent:
        url = f"{scheme}://{lent.partition('://')[2]}"
        for _ in range(2):  # the first opening creates the tables, the second finds them
            async with connect(url, cache_url=url, cache_timeout=TIMEOUT) as users:
                user = await users.get_by_login("ANA@example.com") or await users.create({"email": "ana@example.com"})
                token = await users.request_email_confirmation("ana@example.com")
                assert await users.confirm_email(token)
        if scheme in ONLY_ASYNCHRONOUS:
            with pytest.raises(InvalidValue, match="driver"), connect_blocking(url):
                pass
        else:
            with connect_blocking(url, cache_url=url, cache_timeout=TIMEOUT) as blocking:
                assert blocking.search() == ([blocking.get(user.id)], 1)


@pytest.mark.parametrize(("kind", "scheme"), [("redis", "redis"), ("redis-cluster", "redis+cluster")])
async def test_a_cache_in_redis_serves_many_callers_at_once(kind: RedisKind, scheme: str) -> None:
    url = servers.url(kind).replace("redis", scheme, 1)
    key, seconds = f"test {uuid4()}", 20  # the counters then expire
    async with connect("memory://", cache_url=url, cache_timeout=TIMEOUT) as users:
        count = [users._check_timeout_and_incr(key, 10, seconds) for _ in range(CALLERS)]
        assert sum(await asyncio.gather(*count)) == 10
    key += " blocking"
    with (
        connect_blocking("memory://", cache_url=url, cache_timeout=TIMEOUT) as blocking,
        ThreadPoolExecutor(CALLERS) as threads,
    ):
        assert sum(threads.map(lambda _: blocking._check_timeout_and_incr(key, 10, seconds), range(CALLERS))) == 10


@pytest.mark.parametrize(
    ("url", "cache_url", "error"),
    [
        ("postgresql://localhost:1/x", "memory://", StoreUnavailable),
        ("mariadb://localhost:1/x", "memory://", StoreUnavailable),
        pytest.param("mongodb://localhost:1/x", "memory://", StoreUnavailable, marks=UNCLOSED),
        ("mongodb+srv://nowhere.invalid/x", "memory://", StoreUnavailable),
        ("memory://", "postgresql://localhost:1/x", CacheUnavailable),
        ("memory://", "redis+cluster://localhost:1", CacheUnavailable),
        ("postgresql://[::1/x", "memory://", InvalidValue),
        ("mongodb://", "memory://", InvalidValue),
        ("memory://", "redis://localhost/?socket_timeout=soon", InvalidValue),
        ("redis://localhost", "memory://", InvalidValue),
    ],
)
async def test_an_unreachable_server_or_an_invalid_url_is_an_error(
    url: str, cache_url: str, error: type[Exception]
) -> None:
    with pytest.raises(error), connect_blocking(url, cache_url=cache_url, timeout=1) as users:
        users.is_bruteforce("192.0.2.7", "ana")
    with pytest.raises(error):
        async with connect(url, cache_url=cache_url, timeout=1) as asynchronous:
            await asynchronous.is_bruteforce("192.0.2.7", "ana")
    gc.collect()


def test_a_database_with_unsafe_settings_is_refused_on_opening() -> None:
    with servers.database("mariadb") as url:
        with pytest.raises(InvalidSchema, match="sql_mode"), connect_blocking(f"{url}?sql_mode=ANSI"):
            pass
        with connect_blocking(url):
            pass


def user_and_host(kind: DatabaseKind) -> tuple[str, str]:
    """Return the user and the host of a server's URL."""
    user, _, rest = servers.url(kind).partition("://")[2].rpartition("@")
    return user, rest.partition("/")[0]


@pytest.mark.parametrize(
    ("kind", "scheme", "unknown", "denied", "missing"),
    [
        ("postgres", "postgresql+asyncpg", "not known", "nobody", 'database "missing" does not exist'),
        ("postgres", "postgresql+psycopg", "resolve host", "nobody", 'database "missing" does not exist'),
        ("mariadb", "mariadb+asyncmy", "not known", "Access denied", "Unknown database 'missing'"),
        ("mariadb", "mariadb+aiomysql", "Can't connect", "Access denied", "Unknown database 'missing'"),
        ("mariadb", "mariadb+pymysql", "not known", "Access denied", "Unknown database 'missing'"),
    ],
)
async def test_an_unknown_host_a_refused_user_and_a_missing_database_have_different_errors(
    kind: DatabaseKind, scheme: str, unknown: str, denied: str, missing: str
) -> None:
    user, host = user_and_host(kind)
    for url, message in (
        (f"{scheme}://ann@nowhere.invalid/d", unknown),
        (f"{scheme}://nobody:wrong@{host}/d", denied),
        (f"{scheme}://{user}@{host}/missing", missing),
    ):
        with pytest.raises(StoreUnavailable, match=message):
            async with connect(url):
                pass
