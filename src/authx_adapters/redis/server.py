"""The one seam between the commands, written once, and the clients that an application may have."""

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
from authx_adapters.redis.belonging import check_asynchronous, check_blocking, expect_forks
from authx_adapters.redis.errors import translated
from authx_adapters.redis.idle import close_ended
from authx_adapters.redis.patience import Waiting, longest
from authx_core import run
from authx_core.domain import PortUnavailable

Client: TypeAlias = Redis | RedisCluster | AsyncRedis | AsyncRedisCluster
"""Whose life is its owner's."""
Command: TypeAlias = tuple[str | bytes | int, ...]

_RAW: Final[dict[str, bool]] = {NEVER_DECODE: True}
"""Replies are bytes, however the client would decode them."""


class Script:
    """Lua that a server keeps under its digest, once it has seen it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, keys: Sequence[bytes], *arguments: int) -> Command:
        """Return the command that runs it."""
        return ("EVALSHA", self.digest, len(keys), *keys, *arguments)

    def again(self, command: Command) -> Command:
        """Return the command for a server that does not know the script, and does from then on."""
        return ("EVAL", self.text, *command[2:])


class Server:
    """Sends commands through a client of whichever kind, and turns its failures into the port's."""

    def __init__(
        self, client: Client, unavailable: type[PortUnavailable], timeout: timedelta | float | None = None
    ) -> None:
        """Use ``client``; a failure of the server or the driver, and a ``timeout``, become ``unavailable``.

        Raises `InvalidValue` for a timeout that is not positive.
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
        """Return the reply to one command; one that is ``repeatable`` is sent again if its connection had ended."""
        return (await self._replies([command], repeatable=repeatable))[0]

    async def ask_each(
        self,
        keys: Sequence[bytes],
        command: Callable[[Sequence[bytes]], Command],
        script: Script | None = None,
        *,
        repeatable: bool = False,
    ) -> list[Any]:
        """Return what is answered for each key, in order, by a command that takes several.

        In a cluster that is one command for each slot, all of them under way at once. ``script`` is the one that
        the command runs: a server that does not know it is told.
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
        """Return what an exchange ends in. Raises `TimeoutError`."""
        if self._waiting and self._within:
            return self._waiting.call(lambda: run(exchange()), self._within)
        if self._within and not self._is_blocking:
            return await in_time(exchange(), self._within)
        return await exchange()

    async def _exchanged(self, commands: Sequence[Command], script: Script | None, *, repeatable: bool) -> list[Any]:
        replies = await self._send(commands)
        if repeatable:
            await self._resend(commands, replies, _was_closed)
        if script:
            await self._resend([script.again(each) for each in commands], replies, _is_unknown)
        return replies

    async def _resend(self, commands: Sequence[Command], replies: list[Any], is_due: Callable[[object], bool]) -> None:
        """Send those commands whose replies are of this kind, and put the new replies in their place."""
        due = [position for position, reply in enumerate(replies) if is_due(reply)]
        told = await self._send([commands[position] for position in due])
        for position, reply in zip(due, told, strict=True):
            replies[position] = reply

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        """Return a reply or an exception for each command, after as few round trips as the client can."""
        if not commands:
            return []
        try:
            async with self._turns:
                if isinstance(self._client, AsyncRedisCluster):
                    await self._client.initialize()  # else it sends its first commands to any node
                if not self._is_blocking:
                    await close_ended(self._client)
                if len(commands) == 1:
                    return [await settle(self._client.execute_command(*commands[0], **_RAW))]
                pipeline = self._client.pipeline()
                for command in commands:
                    pipeline.execute_command(*command, **_RAW, **self._route(command))
                return list(await settle(pipeline.execute(raise_on_error=False)))
        except Exception as error:  # noqa: BLE001 - a socket that another task or thread has just closed raises anything
            return [error] * len(commands)

    def _route(self, command: Command) -> dict[str, Any]:
        """Name the node of a script, for whose keys the blocking cluster client of redis-py 7.1 would ask first."""
        if self._is_blocking and self._is_cluster and command[0] in {"EVALSHA", "EVAL"}:
            with suppress(RedisClusterException):  # it knows none, and will look for it when it sends
                return {"target_nodes": self._client.get_node_from_key(command[3])}
        return {}


def _was_closed(reply: object) -> bool:
    """Whether a connection was ended, or never came about; not, whether it was waited for."""
    return type(reply) is ConnectionError and "No connection available" not in str(reply)


def _is_unknown(reply: object) -> bool:
    return isinstance(reply, NoScriptError)


def _turns(client: Client) -> AbstractAsyncContextManager[object]:
    """Make callers wait where a client has no pool that does: it refuses whom it has no connection left for."""
    if isinstance(client, AsyncRedisCluster):
        return asyncio.Semaphore(client.connection_kwargs["max_connections"])
    return nullcontext()
