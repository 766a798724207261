"""A cache on Redis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from redis import RedisCluster

from authx_adapters.redis.server import Client, Command, Script, Server
from authx_adapters.unbounded import warn_unbounded
from authx_core.domain import CacheUnavailable, InvalidValue, Problem, checks, limits, reasons
from authx_core.ports import Cache

_MILLISECOND: Final = timedelta(milliseconds=1)
_INCREMENT: Final = Script("""
local LOWEST = '-9223372036854775808' -- its absolute value does not fit into 64 bits
local counts = {}
for position, key in ipairs(KEYS) do
    local before = redis.call('GET', key)
    if before then
        redis.call('INCRBY', key, ARGV[1])
    else
        redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
    end
    counts[position] = redis.call('GET', key) -- as text: numbers of Lua are exact only up to 2^53
    if before == LOWEST or counts[position] == LOWEST then
        redis.call('SET', key, before, 'KEEPTTL')
        return redis.error_reply('ERR increment would overflow')
    end
end
return counts
""")


class RedisCache(Cache):
    """Text and counters on a Redis server or cluster, with one round trip for each call.

    Lifetimes follow the server's clock, in whole milliseconds.

    Each command sets value and lifetime atomically. If a driver loses a reply, it may repeat a command that was done
    (redis-py does by default: see its ``retry``). Then a counter counts twice, `pop` returns None for a value that it
    removed, `add` and `delete` return False. All of these are on the safe side: a limit is reached early, a link has to
    be requested again. A client with ``retry=Retry(NoBackoff(), 0)`` raises `CacheUnavailable` instead.
    """

    def __init__(self, client: Client, *, prefix: str = "authx:", timeout: timedelta | float | None = None) -> None:
        """Keep entries under ``prefix|key``. A bar in the prefix is escaped, so that different prefixes never collide.

        With a hash tag in the prefix, such as ``{authx}:``, all entries are in one slot of a cluster. Every call ends
        within ``timeout`` (seconds or a timedelta), including the wait for a connection. None leaves that
        to the client.

        Raises `InvalidValue` for a client that reads replicas or has a cache of its own (neither shows every change at
        once), and for an impossible timeout. Issues an `UnboundedWarning` if neither cache nor client has a timeout.
        """
        _check(client, prefix)
        self._server = Server(client, CacheUnavailable, timeout)
        if timeout is None and not _is_bounded(client):
            warn_unbounded(self)
        self._prefix = prefix.replace("%", "%25").replace("|", "%7C") + "|"

    async def get_many(self, keys: Sequence[str], /) -> list[str | None]:
        """Return the values in the order of the keys. Raises `InvalidValue` for data that is not text."""
        checks.check_entry(keys)
        values = await self._server.ask_each(self._names(keys), lambda names: ("MGET", *names), repeatable=True)
        return [None if value is None else _text(value) for value in values]

    async def set(self, key: str, value: str, /, *, ttl: timedelta) -> None:
        """Keep a value in place of any other."""
        checks.check_entry([key], value=value, ttl=ttl)
        await self._server.ask("SET", self._name(key), value.encode(), "PX", self._milliseconds(ttl))

    async def add(self, key: str, value: str, /, *, ttl: timedelta) -> bool:
        """Keep a value only if the key is absent."""
        checks.check_entry([key], value=value, ttl=ttl)
        milliseconds = self._milliseconds(ttl)
        return bool(await self._server.ask("SET", self._name(key), value.encode(), "PX", milliseconds, "NX"))

    async def pop(self, key: str, /) -> str | None:
        """Return a value and remove it. Raises `InvalidValue` for data that is not text."""
        checks.check_entry([key])
        value: bytes | None = await self._server.ask("GETDEL", self._name(key))
        return None if value is None else _text(value)

    async def delete(self, key: str, /) -> bool:
        """Remove a key. Return True if a live one was removed."""
        checks.check_entry([key])
        return bool(await self._server.ask("DEL", self._name(key)))

    async def increment_many(self, keys: Sequence[str], /, *, by: int = 1, ttl: timedelta) -> list[int]:
        """Add to each counter, in order."""
        checks.check_entry(keys, ttl=ttl)
        checks.check_step(by)

        def increment(names: Sequence[bytes]) -> Command:
            return _INCREMENT(names, by, self._milliseconds(ttl))

        return [int(count) for count in await self._server.ask_each(self._names(keys), increment, _INCREMENT)]

    def _milliseconds(self, ttl: timedelta) -> int:
        return ttl // _MILLISECOND

    def _name(self, key: str) -> bytes:
        return f"{self._prefix}{key}".encode()

    def _names(self, keys: Sequence[str]) -> list[bytes]:
        return [self._name(key) for key in keys]


def _check(client: Client, prefix: str) -> None:
    """Raise `InvalidValue` for a client that may not see the latest value, and for an impossible prefix."""
    problems: list[Problem] = []
    if getattr(client, "read_from_replicas", False) or getattr(client, "load_balancing_strategy", None):
        problems.append(Problem("client", "unsupported", "must not read from replicas, which lag behind"))
    if _caches(client, is_cluster=isinstance(client, RedisCluster)):
        problems.append(
            Problem("client", "unsupported", "must not have a cache of its own: expired entries stay in it")
        )
    if reason := reasons.why_not_text(prefix, limits.MAX_CACHE_KEY):
        problems.append(Problem("prefix", "invalid", reason))
    if problems:
        raise InvalidValue(*problems)


def _is_bounded(client: Any) -> bool:
    """Whether the client has a timeout for answers: the default of redis-py is five seconds."""
    return client.get_connection_kwargs().get("socket_timeout", True) is not None


def _caches(client: Any, *, is_cluster: bool) -> bool:
    """Whether a client caches replies, as only blocking clients can."""
    one = client.get_random_node().redis_connection if is_cluster else client
    return hasattr(one, "get_cache") and one.get_cache() is not None


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise InvalidValue(Problem("key", "invalid", "holds data that is not text")) from error
