"""The clients that attempts to log in are counted for."""

from __future__ import annotations

import hashlib
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

_SITE: Final = 64
"""Leading bits that one customer of a provider gets (RFC 6177), with all 2**64 addresses below them."""


def client_key(ip: str) -> str:
    """Return the key of a client's counter: IPv4 address, /64 of an IPv6 address, or a digest of anything else."""
    try:
        address = ip_address(ip)
    except ValueError:
        return text_key(ip)
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), _SITE), strict=False))


def text_key(text: str) -> str:
    """Return a short stand-in for a text of any length and content."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
