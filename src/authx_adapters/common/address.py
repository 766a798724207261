"""A URL taken apart, so that no traceback with locals shows its password."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import attrs

from authx_core import InvalidValue, Problem
from authx_core.domain.secret import Secret

_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?P<authority>[^/?#]*@[^/?#]*|[^/?#@:]*:[^?#@]*@[^/?#@]*|[^/?#@]*)"  # the second: with a slash in the password
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.DOTALL,
)
_HOST: Final = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<name>[^:\[\]]*))(?::(?P<port>\d*))?")
_MAX_PORT: Final = 65_535
_LONG_ENOUGH: Final = 50
_HINT: Final = "percent-encode : / ? # [ ] @ in names and passwords"


class Hidden(dict[str, Any]):
    """Arguments, one of which may be a password: the repr shows only their names."""

    def __repr__(self) -> str:
        return f"{{{', '.join(map(repr, self))}}}"


@attrs.frozen
class Host:
    """Where a server listens: without a port, on the usual one."""

    name: str
    port: int | None = None


@attrs.frozen(repr=False)
class Address:
    """The parts of ``scheme://user:password@host:port,host2/path?name=value``, decoded."""

    scheme: str
    user: str | None
    password: Secret | None
    hosts: tuple[Host, ...]
    path: str
    """Without its first slash, and not decoded: the name of a file may have a percent sign."""
    options: Hidden

    @property
    def database(self) -> str | None:
        """The path, as the name of a database."""
        return unquote(self.path) or None


def scheme(url: Secret) -> str:
    """Return the part before ``://`` in lower case, or an empty text."""
    text = url.reveal()
    return text.partition("://")[0].lower() if isinstance(text, str) and "://" in text else ""


def parse(url: Secret, field: str) -> Address:
    """Take a URL apart. Raises `InvalidValue`, which names ``field`` and shows no part of the URL."""
    address = _parse(url)
    if isinstance(address, str):
        raise InvalidValue(Problem(field, "invalid", address))
    return address


def _parse(url: Secret) -> Address | str:
    """Return the parts, or the fault as text: the caller that raises it has no part of the URL among its locals."""
    found = _URL.fullmatch(url.reveal())
    if found is None:
        return f"is not a URL ({_HINT})"
    userinfo, _, places = found["authority"].rpartition("@")
    found_hosts = hosts(places)
    if isinstance(found_hosts, str):
        return found_hosts
    user, colon, password = userinfo.partition(":")
    pairs = parse_qsl(found["query"] or "", keep_blank_values=True)
    names = [name for name, _ in pairs]
    if twice := sorted({brief(name) for name in names if names.count(name) > 1} - {"'host'"}):
        return f"gives an option twice: {', '.join(twice)}"
    options = dict(pairs)
    if "host" in options:
        options["host"] = ",".join(value for name, value in pairs if name == "host")
    return Address(
        found["scheme"].lower(),
        unquote(user) or None,
        Secret(unquote(password)) if colon else None,
        found_hosts,
        (found["path"] or "")[1:],
        Hidden(options),
    )


def hosts(names: str | None, ports: str | None = None) -> tuple[Host, ...] | str:
    """Take ``host:port,host2`` apart; ``ports`` are one for each host, or one for all. Return the fault as text."""
    places = [_host(name) for name in names.split(",")] if names else []
    numbers = [_port(port) for port in ports.split(",")] if ports else []
    if None in places or None in numbers or len(numbers) not in {0, 1, len(places)}:
        return f"has an impossible host or port ({_HINT})"
    numbers *= len(places) if len(numbers) == 1 else 1
    known = [place for place in places if place]
    return (
        tuple(Host(place.name, number) for place, number in zip(known, numbers, strict=True))
        if numbers
        else tuple(known)
    )


def _host(place: str) -> Host | None:
    if place.startswith("/"):  # the folder of a Unix socket
        return Host(place)
    found = _HOST.fullmatch(place)
    port = _port(found["port"]) if found and found["port"] else None
    if found is None or (found["port"] and port is None):
        return None
    return Host(found["six"] or unquote(found["name"]), port)


def _port(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_PORT)) else 0
    return number if 0 < number <= _MAX_PORT else None


def brief(name: str) -> str:
    """Return a name from a URL as a message may show it."""
    return ascii(name[:_LONG_ENOUGH])
