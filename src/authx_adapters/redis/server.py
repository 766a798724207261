"""Sends commands through any of redis-py's clients, blocking or asynchronous, of a server or a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from datetime import timedelta
from hashlib import sha1
from typing import Any, Final, TypeAlias

from redis import Redis, RedisCluster
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio import RedisCluster as AsyncRedisCluster
from redis.client import NEVER_DECODE
from redis.exceptions import (
    ConnectionError,  # noqa: A004 - the driver's
    NoScriptError,
    RedisClusterException,
)

from authx_adapters.common.bare import bare
from authx_adapters.common.settle import settle
from authx_adapters.common.timeouts import in_time, optional_seconds
from authx_adapters.redis.errors import translated
from authx_adapters.redis.idle import close_ended
from authx_adapters.redis.ownership import check_asynchronous, check_blocking, expect_forks
from authx_adapters.redis.timeouts import Waiting, longest
from authx_core import run
from authx_core.domain import PortUnavailable

Client: TypeAlias = Redis | RedisCluster | AsyncRedis | AsyncRedisCluster
"""The application opens and closes it."""
Command: TypeAlias = tuple[str | bytes | int, ...]

_RAW: Final[dict[str, bool]] = {NEVER_DECODE: True}
"""Replies are bytes, whatever the client's own decoding."""


class Script:
    """A Lua script, which a server keeps under its digest once it has run it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, keys: Sequence[bytes], *arguments: int) -> Command:
        """Return the command that runs it."""
        return ("EVALSHA", self.digest, len(keys), *keys, *arguments)

    def again(self, command: Command) -> Command:
        """Return the same command with the script itself, for a server that does not have it."""
        return ("EVAL", self.text, *command[2:])


class Server:
    """Sends commands through a client, and translates its errors."""

    def __init__(
        self, client: Client, unavailable: type[PortUnavailable], timeout: timedelta | float | None = None
    ) -> None:
        """Use ``client``. Failures of the server or the driver, and timeouts, are raised as ``unavailable``.

        Raises `InvalidValue` for an impossible timeout.
        """
        self._client: Any = client
        self._is_cluster = isinstance(client, RedisCluster | AsyncRedisCluster)
        self._is_blocking = isinstance(client, Redis | RedisCluster)
        self._unavailable = unavailable
        self._turns = _turns(client)
        self._within = optional_seconds(timeout)
        self._waiting: Waiting | None = None
        if self._is_blocking:
            expect_forks(client)
            if self._within and (self._is_cluster or longest(self._client) > self._within):
                self._waiting = Waiting()

    async def ask(self, *command: str | bytes | int, repeatable: bool = False) -> Any:
        """Return the reply to one command. A ``repeatable`` command is sent again if its connection was closed."""
        return (await self._replies([command], repeatable=repeatable))[0]

    async def ask_each(
        self,
        keys: Sequence[bytes],
        command: Callable[[Sequence[bytes]], Command],
        script: Script | None = None,
        *,
        repeatable: bool = False,
    ) -> list[Any]:
        """Return the reply for each key, in order, of a command that takes several.

        In a cluster there is one command for each slot, and all are sent at once. If the command runs ``script``, a
        server that does not have it receives it.
        """
        slots: dict[int, list[int]] = {}
        for position, key in enumerate(keys):
            slots.setdefault(self._client.keyslot(key) if self._is_cluster else 0, []).append(position)
        commands = [command([keys[position] for position in positions]) for positions in slots.values()]
        answers: list[Any] = [None] * len(keys)
        for positions, reply in zip(
            slots.values(), await self._replies(commands, script, repeatable=repeatable), strict=True
        ):
            for position, answer in zip(positions, reply, strict=True):
                answers[position] = answer
        return answers

    async def _replies(
        self, commands: Sequence[Command], script: Script | None = None, *, repeatable: bool = False
    ) -> list[Any]:
        (check_blocking if self._is_blocking else check_asynchronous)(self._client)
        try:
            replies = await self._in_time(lambda: self._exchanged(commands, script, repeatable=repeatable))
        except TimeoutError as error:
            raise self._unavailable(f"no answer within {self._within:g} seconds") from bare(error)
        except asyncio.CancelledError as error:
            raise bare(error)  # noqa: B904 - its frames are the driver's, which may be logging in
        for reply in replies:
            if isinstance(reply, Exception):
                raise translated(reply, self._unavailable)
        return replies

    async def _in_time(self, exchange: Callable[[], Coroutine[Any, Any, list[Any]]]) -> list[Any]:
        """Return the replies of an exchange. Raises `TimeoutError`."""
        if self._waiting and self._within:
            return self._waiting.call(lambda: run(exchange()), self._within)
        if self._is_blocking:
            return await exchange()
        return await in_time(exchange(), self._within)

    async def _exchanged(self, commands: Sequence[Command], script: Script | None, *, repeatable: bool) -> list[Any]:
        replies = await self._send(commands)
        if repeatable:
            await self._resend(commands, replies, _was_closed)
        if script:
            await self._resend([script.again(each) for each in commands], replies, _is_unknown)
        return replies

    async def _resend(self, commands: Sequence[Command], replies: list[Any], is_due: Callable[[object], bool]) -> None:
        """Send the commands again whose replies are of this kind, and replace those replies."""
        due = [position for position, reply in enumerate(replies) if is_due(reply)]
        again = await self._send([commands[position] for position in due])
        for position, reply in zip(due, again, strict=True):
            replies[position] = reply

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        """Return a reply or an exception for each command, with as few round trips as possible."""
        if not commands:
            return []
        try:
            async with self._turns:
                if isinstance(self._client, AsyncRedisCluster):
                    await self._client.initialize()  # otherwise it sends its first commands to any node
                if not self._is_blocking:
                    await close_ended(self._client)
                if len(commands) == 1:
                    return [await settle(self._client.execute_command(*commands[0], **_RAW))]
                pipeline = self._client.pipeline()
                for command in commands:
                    pipeline.execute_command(*command, **_RAW, **self._route(command))
                return list(await settle(pipeline.execute(raise_on_error=False)))
        except Exception as error:  # noqa: BLE001 - a socket that another task or thread has closed raises any kind of error
            return [error] * len(commands)

    def _route(self, command: Command) -> dict[str, Any]:
        """Name the node of a script: otherwise redis-py 7.1's blocking cluster client first asks for the keys."""
        if self._is_blocking and self._is_cluster and command[0] in {"EVALSHA", "EVAL"}:
            with suppress(RedisClusterException):  # it does not know the node yet, and finds it when it sends
                return {"target_nodes": self._client.get_node_from_key(command[3])}
        return {}


def _was_closed(reply: object) -> bool:
    """Whether the connection was closed or refused, and not merely missing from a full pool."""
    return type(reply) is ConnectionError and "No connection available" not in str(reply)


def _is_unknown(reply: object) -> bool:
    return isinstance(reply, NoScriptError)


def _turns(client: Client) -> AbstractAsyncContextManager[object]:
    """Make callers wait for a connection of an asynchronous cluster client, which would raise an error instead."""
    if isinstance(client, AsyncRedisCluster):
        return asyncio.Semaphore(client.connection_kwargs["max_connections"])
    return nullcontext()
