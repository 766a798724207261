"""A URL's password never appears in a message, repr or frame's local variable, however opening fails."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any
from urllib.parse import quote

import pytest

import servers
from authx_adapters import connect, connect_blocking
from authx_adapters.mongodb import MongoUserStore
from authx_adapters.redis import RedisCache
from authx_core import AuthxError
from authx_core.domain.secret import Secret
from engines.drivers import DRIVERS
from wire import Relay

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""PyMongo drops a socket whose connection attempt is interrupted."""
PASSWORD = "hunter2/correct:horse"
ENCODED = quote(PASSWORD, safe="")
NOWHERE = "127.0.0.1:1"
STORES = [
    *(f"postgresql{driver}://ann:{ENCODED}@{NOWHERE}/d" for driver in ("", "+asyncpg", "+psycopg")),
    f"postgresql://{NOWHERE}/d?user=ann&password={ENCODED}",
    f"postgresql://ann:{ENCODED}@{NOWHERE}/d?sslmode=nonsense",
    f"postgresql://ann:{ENCODED}@{NOWHERE}:port/d",
    f"postgresql+pg8000://ann:{ENCODED}@{NOWHERE}/d",
    *(f"mariadb{driver}://ann:{ENCODED}@{NOWHERE}/d" for driver in ("", "+asyncmy", "+aiomysql", "+pymysql")),
    f"mongodb://ann:{ENCODED}@{NOWHERE}/d",
    f"mongodb://ann:{ENCODED}@{NOWHERE}/d?connectTimeoutMS=abc",
    f"mongodb://ann:{PASSWORD}@{NOWHERE}/d",
    f"oracle://ann:{ENCODED}@{NOWHERE}/d",
]
CACHES = [
    *(
        f"{scheme}://ann:{ENCODED}@{NOWHERE}"
        for scheme in ("redis", "rediss", "redis+cluster", "postgresql", "mongodb")
    ),
    f"redis+sentinel://ann:{ENCODED}@{NOWHERE}/service?sentinel_password={ENCODED}",
    f"unix://ann:{ENCODED}@/nowhere/redis.sock",
    f"redis://ann:{ENCODED}@{NOWHERE}?colour=red",
]


def shown(error: BaseException) -> Iterator[str]:
    """Show an error with its causes and contexts, and the locals of every frame outside this file."""
    seen, pending = set[int](), [error]
    while pending:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        pending += [cause for cause in (each.__cause__, each.__context__) if cause is not None]
        yield f"{each!r} {each}"
        for frame in traceback.TracebackException.from_exception(each, capture_locals=True).stack:
            if frame.filename != __file__:
                yield f"{frame.filename} {frame.name} {frame.locals}"


async def fails(url: str, cache_url: str = "memory://") -> None:
    errors: list[BaseException] = []
    for secret in (False, True):
        given, cache = (Secret(url), Secret(cache_url)) if secret else (url, cache_url)
        try:
            with connect_blocking(given, cache_url=cache, timeout=1) as blocking:
                blocking.is_bruteforce("192.0.2.7", "ann")
        except AuthxError as error:
            errors.append(error)
        try:
            async with connect(given, cache_url=cache, timeout=1) as users:
                await users.is_bruteforce("192.0.2.7", "ann")
        except AuthxError as error:
            errors.append(error)
    assert len(errors) == 4
    for raised in errors:
        lines = list(shown(raised))
        assert lines
        assert [line for line in lines if PASSWORD in line or ENCODED in line] == []


@pytest.mark.parametrize("url", STORES)
async def test_an_error_opening_a_store_shows_no_password(url: str) -> None:
    await fails(url)


@pytest.mark.parametrize("url", CACHES)
async def test_an_error_opening_a_cache_shows_no_password(url: str) -> None:
    await fails("memory://", url)


class Mute(Relay):
    """A relay that freezes when a client logs in."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.logging_in = Event()

    def _observers(self) -> tuple[Callable[[bytes], None], Callable[[bytes], None]]:
        def from_client(chunk: bytes) -> None:
            if b"AUTH" in chunk or chunk[26:].startswith(b"saslStart\0"):
                self._flows.clear()
                self.logging_in.set()

        return from_client, lambda _: None


@pytest.mark.parametrize("within", [None, 20])
@pytest.mark.parametrize("name", ["async-redis", "async-redis-cluster", "async-pymongo"])
async def test_a_call_cancelled_during_log_in_shows_no_password(name: str, within: float | None) -> None:
    driver = DRIVERS[name]
    with Mute(servers.url("mongodb" if driver.keeps_users else "redis")) as relay:
        scheme, _, place = relay.url.partition("://")
        long_timeout = {"connectTimeoutMS": 60_000} if driver.keeps_users else {"socket_timeout": 60}
        async with driver.client(f"{scheme}://ann:{ENCODED}@{place}", **long_timeout) as client:
            adapter: Any = (
                MongoUserStore(client.get_default_database("authx"), timeout=within)
                if driver.keeps_users
                else RedisCache(client, timeout=within)
            )
            call = asyncio.create_task(adapter.get("key"))
            assert await asyncio.to_thread(relay.logging_in.wait, 20)
            call.cancel()
            with pytest.raises(asyncio.CancelledError) as cancelled:
                await call
            lines = list(shown(cancelled.value))
            relay.thaw()
    assert lines
    assert [line for line in lines if PASSWORD in line or ENCODED in line] == []


@pytest.mark.parametrize("kind", ["mariadb", "mongodb", "redis"])
async def test_a_wrong_password_is_not_shown(kind: servers.Kind) -> None:
    scheme, _, rest = servers.url(kind).partition("://")
    url = f"{scheme}://nobody:{ENCODED}@{rest.rpartition('@')[2]}"
    await (fails("memory://", url) if kind == "redis" else fails(url))
