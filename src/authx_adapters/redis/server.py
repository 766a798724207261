"""The one seam between the commands, written once, and the clients that an application may have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from hashlib import sha1
from typing import Any, Final, TypeAlias

from redis import Redis, RedisCluster
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio import RedisCluster as AsyncRedisCluster
from redis.client import NEVER_DECODE
from redis.exceptions import NoScriptError, RedisClusterException, ResponseError

from authx_adapters._settle import settle
from authx_core.domain import AuthxError, InvalidValue, PortUnavailable, Problem

Client: TypeAlias = Redis | RedisCluster | AsyncRedis | AsyncRedisCluster
"""Whose life is its owner's."""
Command: TypeAlias = tuple[str | bytes | int, ...]

_RAW: Final[dict[str, bool]] = {NEVER_DECODE: True}
"""Replies are bytes, however the client would decode them."""
_MISFITS: Final = {
    "WRONGTYPE": "holds data that is no text",
    "not an integer": "holds a value that is not a whole number",
    "overflow": "holds a whole number that has no room for the step",
}
"""What a server says about data that a command cannot work on, and what that means."""


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

    def __init__(self, client: Client, unavailable: type[PortUnavailable]) -> None:
        """Use ``client``; a failure of the server or the driver becomes ``unavailable``."""
        self._client: Any = client
        self._is_cluster = isinstance(client, RedisCluster | AsyncRedisCluster)
        self._is_blocking_cluster = isinstance(client, RedisCluster)
        self._unavailable = unavailable
        self._turns = _turns(client)

    async def ask(self, *command: str | bytes | int) -> Any:
        """Return the reply to one command."""
        return (await self._replies([command]))[0]

    async def ask_each(
        self, keys: Sequence[bytes], command: Callable[[Sequence[bytes]], Command], script: Script | None = None
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
        for positions, reply in zip(slots.values(), await self._replies(commands, script), strict=True):
            for position, answer in zip(positions, reply, strict=True):
                answers[position] = answer
        return answers

    async def _replies(self, commands: Sequence[Command], script: Script | None = None) -> list[Any]:
        replies = await self._send(commands)
        unknown = [position for position, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if script and unknown:
            told = await self._send([script.again(commands[position]) for position in unknown])
            for position, reply in zip(unknown, told, strict=True):
                replies[position] = reply
        for reply in replies:
            if isinstance(reply, Exception):
                raise self._translated(reply) from reply
        return replies

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        """Return a reply or an exception for each command, after as few round trips as the client can."""
        try:
            async with self._turns:
                if isinstance(self._client, AsyncRedisCluster):
                    await self._client.initialize()  # else it sends its first commands to any node
                match commands:
                    case []:
                        return []
                    case [command]:
                        return [await settle(self._client.execute_command(*command, **_RAW))]
                    case _:
                        pipeline = self._client.pipeline()
                        for command in commands:
                            pipeline.execute_command(*command, **_RAW, **self._route(command))
                        return list(await settle(pipeline.execute(raise_on_error=False)))
        except Exception as error:  # noqa: BLE001 - a socket that another task or thread has just closed raises anything
            return [error] * len(commands)

    def _route(self, command: Command) -> dict[str, Any]:
        """Name the node of a script, for whose keys the blocking cluster client of redis-py 7.1 would ask first."""
        if self._is_blocking_cluster and command[0] in {"EVALSHA", "EVAL"}:
            with suppress(RedisClusterException):  # it knows none, and will look for it when it sends
                return {"target_nodes": self._client.get_node_from_key(command[3])}
        return {}

    def _translated(self, error: Exception) -> AuthxError:
        if isinstance(error, ResponseError):
            for said, meaning in _MISFITS.items():
                if said in str(error):
                    return InvalidValue(Problem("key", "invalid", meaning))
        return self._unavailable(type(error).__name__)


def _turns(client: Client) -> AbstractAsyncContextManager[object]:
    """Make callers wait where a client has no pool that does: it refuses whom it has no connection left for."""
    if isinstance(client, AsyncRedisCluster):
        return asyncio.Semaphore(client.connection_kwargs["max_connections"])
    return nullcontext()
