"""A Redis by a socket, behind sentinels and with a prefix of one's own, in both colours."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from redis import Redis

from authx_adapters import connect, connect_blocking
from authx_core import CacheUnavailable
from servers.redis import Guarded, Sentinel

TIMEOUT = 20
"""Seconds of a call on a busy machine."""


async def serves(url: str, guarded: Guarded, number: int = 0, prefix: str = "authx:") -> None:
    """Count in both colours, and see the key where it belongs."""
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
async def test_a_socket(scheme: str, guarded: Guarded) -> None:
    password = quote(guarded.password, safe="")
    await serves(f"{scheme}://:{password}@{guarded.socket}", guarded)
    await serves(f"{scheme}://:{password}@{guarded.socket}?db=2&prefix=mine:", guarded, 2, "mine:")


async def test_a_prefix_and_a_number_of_a_database(guarded: Guarded) -> None:
    await serves(f"{guarded.url.removesuffix('0')}3?prefix=mine:", guarded, 3, "mine:")


async def test_the_master_that_sentinels_name(guarded: Guarded, sentinel: Sentinel) -> None:
    password = quote(guarded.password, safe="")
    hosts = f"127.0.0.1:1,127.0.0.1:{sentinel.port}"
    options = f"sentinel_password={quote(sentinel.password)}"
    await serves(f"redis+sentinel://:{password}@{hosts}/accounts/1?{options}", guarded, 1)
    await serves(f"redis+sentinel://:{password}@{hosts}/?service_name=accounts&{options}", guarded)


async def test_a_service_that_no_sentinel_knows_and_a_wrong_password_are_told(
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
