"""`connect` and `connect_blocking` to Redis by a socket, behind sentinels, and with a prefix."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from redis import Redis

from authx_adapters import connect, connect_blocking
from authx_core import CacheUnavailable
from servers.redis import Guarded, Sentinel

TIMEOUT = 20
"""Seconds for a call on a busy machine."""


async def check(url: str, guarded: Guarded, number: int = 0, prefix: str = "authx:") -> None:
    """Count through both functions, and check the key's prefix and database."""
    with Redis.from_url(guarded.url) as client:
        client.flushall()
        async with connect("memory://", cache_url=url, cache_timeout=TIMEOUT) as users:
            assert await users._check_timeout_and_incr("key", 2, TIMEOUT)
        with connect_blocking("memory://", cache_url=url, cache_timeout=TIMEOUT) as blocking:
            assert blocking._check_timeout_and_incr("key", 2, TIMEOUT)
            assert not blocking._check_timeout_and_incr("key", 2, TIMEOUT)
        client.select(number)
        assert [key.startswith(prefix.encode()) for key in client.scan_iter()] == [True]


@pytest.mark.parametrize("scheme", ["unix", "redis+socket"])
async def test_a_url_may_name_a_socket(scheme: str, guarded: Guarded) -> None:
    password = quote(guarded.password, safe="")
    await check(f"{scheme}://:{password}@{guarded.socket}", guarded)
    await check(f"{scheme}://:{password}@{guarded.socket}?db=2&prefix=mine:", guarded, 2, "mine:")


async def test_a_url_may_name_a_database_and_a_prefix(guarded: Guarded) -> None:
    await check(f"{guarded.url.removesuffix('0')}3?prefix=mine:", guarded, 3, "mine:")


async def test_a_url_may_name_sentinels(guarded: Guarded, sentinel: Sentinel) -> None:
    password = quote(guarded.password, safe="")
    hosts = f"127.0.0.1:1,127.0.0.1:{sentinel.port}"
    options = f"sentinel_password={quote(sentinel.password)}"
    await check(f"redis+sentinel://:{password}@{hosts}/accounts/1?{options}", guarded, 1)
    await check(f"redis+sentinel://:{password}@{hosts}/?service_name=accounts&{options}", guarded)


async def test_an_unknown_service_or_socket_or_a_wrong_password_is_cache_unavailable(
    guarded: Guarded, sentinel: Sentinel
) -> None:
    password, theirs = quote(guarded.password, safe=""), f"sentinel_password={quote(sentinel.password)}"
    place = f"127.0.0.1:{sentinel.port}"
    for url in (
        f"redis+sentinel://:{password}@{place}/nobody?{theirs}",
        f"redis+sentinel://:wrong@{place}/accounts?{theirs}",
        f"redis+sentinel://:{password}@{place}/accounts?sentinel_password=wrong",
        f"unix://:wrong@{guarded.socket}",
        f"unix://:{password}@/nowhere/valkey.sock",
    ):
        async with connect("memory://", cache_url=url, cache_timeout=TIMEOUT) as users:
            with pytest.raises(CacheUnavailable):
                await users.is_bruteforce("192.0.2.7", "ann")
        blocking_users = connect_blocking("memory://", cache_url=url, cache_timeout=TIMEOUT)
        with blocking_users as blocking, pytest.raises(CacheUnavailable):
            blocking.is_bruteforce("192.0.2.7", "ann")
