"""Clients of Redis from URLs: of a server by TCP or a socket, of a cluster, and of a master named by sentinels."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

import attrs
import redis
import redis.asyncio
from redis import sentinel as blocking_sentinel
from redis.asyncio import sentinel as asynchronous_sentinel
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry

from authx_adapters.common.address import Address, Hidden, Host, parse
from authx_adapters.common.options import Read, boolean, file, one_of, read, refuse, span, text, whole
from authx_adapters.redis.timeouts import settings
from authx_core import CacheUnavailable, Problem
from authx_core.domain.secret import Secret

_CERTIFICATES: Final = {"cert_none": "none", "cert_optional": "optional", "cert_required": "required"}


def _requirement(value: str) -> str:
    return str(one_of("none", "optional", "required")(_CERTIFICATES.get(value.lower(), value)))


KNOWN: Final[Mapping[str, Read]] = {
    "prefix": text,
    "db": whole(),
    "virtual_host": whole(),
    "client_name": text,
    "protocol": one_of("2", "3"),
    "socket_timeout": span,
    "socket_connect_timeout": span,
    "socket_keepalive": boolean,
    "health_check_interval": whole(),
    "max_connections": whole(1),
}
TLS: Final[Mapping[str, Read]] = {
    "ssl_cert_reqs": _requirement,
    "ssl_ca_certs": file,
    "ssl_ca_path": text,
    "ssl_certfile": file,
    "ssl_keyfile": file,
    "ssl_password": text,
    "ssl_check_hostname": boolean,
    "ssl_ciphers": text,
}
SENTINEL: Final[Mapping[str, Read]] = {"service_name": text, "sentinel_username": text, "sentinel_password": text}
_PORT: Final = 6379
_SENTINELS_PORT: Final = 26379
_DIGITS: Final = 9


@attrs.frozen
class Opened:
    """A client, the options of a cache on it, and the functions that close it."""

    client: Any
    options: Mapping[str, str]
    closing: tuple[Callable[[], Awaitable[None] | None], ...]


def open_client(url: Secret, field: str, timeout: float, *, blocking: bool) -> Opened:
    """Make a client. A blocking client of a cluster looks for the nodes at once.

    Raises `InvalidValue` for an impossible URL, and `CacheUnavailable` for a cluster that does not answer.
    """
    address = parse(url, field)
    library: Any = redis if blocking else redis.asyncio
    kind, encrypted = address.scheme.removeprefix("rediss").removeprefix("redis"), address.scheme.startswith("rediss")
    known = {**KNOWN, **(TLS if encrypted else {}), **(SENTINEL if kind == "+sentinel" else {})}
    values, problems = read(address, field, known)
    options = {"prefix": str(values.pop("prefix"))} if "prefix" in values else {}
    values["db"] = _number(address, values, kind, field, problems)
    if len(address.hosts) > 1 and kind in {"", "+socket", "unix"}:
        problems.append(Problem(field, "unsupported", "names several hosts: say redis+cluster:// or redis+sentinel://"))
    refuse(problems)
    if values.get("ssl_cert_reqs") == "none":
        values.setdefault("ssl_check_hostname", False)
    if address.user or address.password:
        values["credential_provider"] = _Credentials(address.user, address.password)
    limits = settings(timeout)
    if not blocking or kind == "+cluster":
        del limits["retry"]  # the adapter limits the time of retries
    wait = limits.pop("timeout")
    open_kind = {"+cluster": _cluster, "+sentinel": _sentinel}.get(kind, _server)
    client, closing = open_kind(library, address, Hidden(limits, **values), wait, encrypted=encrypted)
    return Opened(client, options, closing)


def _server(
    library: Any, address: Address, values: Hidden, wait: float, *, encrypted: bool
) -> tuple[Any, tuple[Any, ...]]:
    if address.scheme in {"unix", "redis+socket"}:
        values["connection_class"] = library.UnixDomainSocketConnection
        values["path"] = f"/{unquote(address.path)}"
    else:
        values["connection_class"] = library.SSLConnection if encrypted else library.Connection
        host = next(iter(address.hosts), Host("localhost"))
        values["host"], values["port"] = host.name, host.port or _PORT
    # The default pool raises an error if no connection is free; in this one, callers wait.
    client = library.Redis.from_pool(library.BlockingConnectionPool(timeout=wait, **values))
    return client, (_closing(client),)


def _cluster(
    library: Any, address: Address, values: Hidden, wait: float, *, encrypted: bool
) -> tuple[Any, tuple[Any, ...]]:
    del values["db"]  # a cluster has only one
    nodes = [
        library.cluster.ClusterNode(host.name, host.port or _PORT) for host in address.hosts or [Host("localhost")]
    ]
    if library is redis:  # which takes another kind of pool only with a URL
        host = f"[{nodes[0].host}]" if ":" in nodes[0].host else nodes[0].host
        values["url"] = f"{'rediss' if encrypted else 'redis'}://{host}:{nodes[0].port}"
        values["connection_pool_class"] = partial(library.BlockingConnectionPool, timeout=wait)
    elif encrypted:
        values["ssl"] = True
    client = _found(lambda: library.RedisCluster(startup_nodes=nodes, **values))
    if isinstance(client, str):
        raise CacheUnavailable(client)
    if library is redis:
        return client, (client.disconnect_connection_pools, client.close)  # `close` leaves those pools open
    return client, (client.aclose,)


def _sentinel(
    library: Any, address: Address, values: Hidden, wait: float, *, encrypted: bool
) -> tuple[Any, tuple[Any, ...]]:
    service = values.pop("service_name", None) or unquote(address.path).partition("/")[0]
    user, password = (values.pop(f"sentinel_{name}", None) for name in ("username", "password"))
    for_sentinels = Hidden({name: value for name, value in values.items() if name.startswith("ssl")})
    for_sentinels["ssl"] = encrypted
    if user or password:
        for_sentinels["credential_provider"] = _Credentials(user, password and Secret(password))
    places = [(host.name, host.port or _SENTINELS_PORT) for host in address.hosts or [Host("localhost")]]
    share = wait / len(places)  # so that there is time to ask each of them
    for_sentinels |= {"socket_timeout": share, "socket_connect_timeout": share}
    for_sentinels["retry"] = (Retry if library is redis else AsyncRetry)(NoBackoff(), 0)
    theirs: Any = blocking_sentinel if library is redis else asynchronous_sentinel
    sentinels = theirs.Sentinel(places, sentinel_kwargs=for_sentinels)
    # A pool for the master that sentinels name, in which callers wait.
    queueing: Any = type("QueueingPool", (theirs.SentinelConnectionPool, library.BlockingConnectionPool), {})
    pool = queueing(service, sentinels, ssl=encrypted, timeout=wait, **values)
    client = library.Redis.from_pool(pool)
    return client, (_closing(client), *map(_closing, sentinels.sentinels))


def _closing(client: Any) -> Any:
    return getattr(client, "aclose", None) or client.close


def _found(make: Callable[[], Any]) -> Any:
    """Return a client, or the reason why there is none."""
    try:
        return make()
    except (RedisError, RedisClusterException) as error:
        return f"{type(error).__name__}: {error}"


def _number(address: Address, values: Hidden, kind: str, field: str, problems: list[Problem]) -> int:
    """Return the number of the database, from an option or the last part of the path."""
    given = [values.pop(name) for name in ("virtual_host", "db") if name in values]
    path = unquote(address.path).rstrip("/")
    if kind == "+sentinel":
        service, _, path = path.partition("/")
        if not (service or values.get("service_name")):
            reason = "names no service: say redis+sentinel://host:26379,host2:26379/service/0"
            problems.append(Problem(field, "invalid", reason))
    if address.scheme in {"unix", "redis+socket"}:
        if address.hosts or not path:
            reason = f"needs three slashes before the path of a socket: {address.scheme}:///run/redis.sock"
            problems.append(Problem(field, "invalid", reason))
        path = ""
    if path and not (path.isascii() and path.isdigit()):
        problems.append(Problem(field, "invalid", "has a path that is not the number of a database"))
    elif path:
        given.append(int(path[:_DIGITS]))
    if kind == "+cluster" and any(given):
        problems.append(Problem(field, "unsupported", "has the number of a database, but a cluster has only 0"))
    return int(next(iter(given), 0))


class _Credentials(CredentialProvider):
    """Keeps the name and password, so that the arguments of a pool do not show them."""

    def __init__(self, user: str | None, password: Secret | None) -> None:
        self._user = user
        self._password = password or Secret("")

    def get_credentials(self) -> tuple[str, str] | tuple[str]:
        """Return the arguments of AUTH."""
        password = self._password.reveal()
        return (self._user, password) if self._user else (password,)

    async def get_credentials_async(self) -> tuple[str, str] | tuple[str]:
        """Return the same for asynchronous clients."""
        return self.get_credentials()
