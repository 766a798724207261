"""The keys that clients are counted under."""

from __future__ import annotations

import pytest

from authx_core.domain.clients import client_key


@pytest.mark.parametrize(
    ("ip", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_addresses_of_one_owner_are_one_client(ip: str, key: str) -> None:
    assert client_key(ip) == key


def test_neighbours_are_different_clients() -> None:
    assert client_key("2001:db8:1:2::1") != client_key("2001:db8:1:3::1")
    assert client_key("192.0.2.1") != client_key("192.0.2.2")


@pytest.mark.parametrize("ip", ["", "localhost", "1.2.3.4\0", "\ud800", "9" * 10_000_000])
def test_anything_else_is_counted_under_a_short_digest(ip: str) -> None:
    assert len(client_key(ip)) == 64
    assert client_key(ip) != client_key(ip + "x")
