"""Relays between clients and a server: one that hangs when told to, and one that counts round trips."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Self
from urllib.parse import SplitResult, urlsplit

PORTS = {"postgresql": 5432, "mariadb": 3306, "mongodb": 27017, "redis": 6379}

HOUSEKEEPING = (b"hello\0", b"ismaster\0", b"isMaster\0", b"endSessions\0")
"""What MongoDB's drivers say of their own accord, in the background too."""

LONGEST = 60.0
"""Seconds for which a wire hangs at most, so that a call without a limit fails its test and does not stop all."""

OP_MSG = 2013
"""https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/"""


class Relay:
    """Lead to one server by another `url`, through a wire that can hang.

    A thread serves blocking and asynchronous clients alike. A client that asks a replica set or a cluster for its
    members finds these behind the relay's back.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._scheme = parts.scheme.partition("+")[0]
        self._server = (parts.hostname or "127.0.0.1", parts.port or PORTS[self._scheme])
        self._door = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._door.setblocking(False)
        self._lost = 0
        self._relays = set[asyncio.Task[None]]()
        self.url = _by_port(parts, self._door.getsockname()[1])
        self.connections = 0
        """How many clients were let in so far."""

    def freeze(self) -> None:
        """Pass nothing on from now: open connections hang, and new ones are accepted in silence."""

        def hang() -> None:
            self._flows.clear()
            self._stuck = self._loop.call_later(LONGEST, self._flows.set)

        self._in_loop(hang)

    def thaw(self) -> None:
        """Pass on all that was held back, and whatever comes."""

        def flow() -> None:
            self._stuck.cancel()
            self._flows.set()

        self._in_loop(flow)

    def forget(self) -> None:
        """Lose the connections that are open, as a firewall does: nobody is told, and new ones are served."""

        def lose() -> None:
            self._lost = self.connections

        self._in_loop(lose)

    def hang_up(self) -> None:
        """End the connections that are open, as a server does with idle ones, and tell both sides."""

        def end() -> None:
            for relay in self._relays:
                relay.cancel()

        self._in_loop(end)

    def __enter__(self) -> Self:
        started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = Future()
        self._thread = Thread(target=lambda: asyncio.run(self._serve(started)), name="wire", daemon=True)
        self._thread.start()
        self._loop, self._open = started.result()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._open.cancel)
        self._thread.join()
        self._door.close()

    def _in_loop(self, do: Callable[[], None]) -> None:
        async def done() -> None:
            do()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result()

    async def _serve(self, started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]]) -> None:
        self._flows = asyncio.Event()
        self._flows.set()
        self._stuck = asyncio.get_running_loop().call_later(0, self._flows.set)
        accepting = asyncio.create_task(self._accept())
        started.set_result((asyncio.get_running_loop(), accepting))
        with suppress(asyncio.CancelledError):
            await accepting

    async def _accept(self) -> None:
        async with asyncio.TaskGroup() as connections:

            def admit() -> None:
                client, _ = self._door.accept()
                client.setblocking(False)
                self.connections += 1
                relay = connections.create_task(self._relay(client, self.connections))
                self._relays.add(relay)
                relay.add_done_callback(self._relays.discard)
                relay.add_done_callback(lambda _: client.close())  # also if it never began

            asyncio.get_running_loop().add_reader(self._door, admit)
            try:
                await asyncio.Event().wait()
            finally:
                asyncio.get_running_loop().remove_reader(self._door)

    async def _relay(self, client: socket.socket, number: int) -> None:
        hear, answer = self._listeners()

        def passed(note: Callable[[bytes], None]) -> Callable[[bytes], Awaitable[bool]]:
            async def passes(chunk: bytes) -> bool:
                await self._flows.wait()
                note(chunk)
                return number > self._lost

            return passes

        with socket.socket() as server:
            server.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(server, self._server)
            except OSError:
                return  # the client finds its connection closed
            async with asyncio.TaskGroup() as ways:
                ways.create_task(_forward(client, server, passed(hear)))
                ways.create_task(_forward(server, client, passed(answer)))

    def _listeners(self) -> tuple[Callable[[bytes], None], Callable[[bytes], None]]:
        """Return what is told of each chunk on a new connection: from its client, from the server."""
        return _ignore, _ignore


class Counter(Relay):
    """Count how often somebody waits for the server's reply.

    A round trip is a server's reply to a client who has spoken since the last reply on that connection: what is sent
    together counts once, a farewell that nobody answers not at all, and connecting and logging in like all else, so
    `reset` when connected.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.round_trips = 0

    def reset(self) -> None:
        """Count from zero."""
        self.round_trips = 0

    def _listeners(self) -> tuple[Callable[[bytes], None], Callable[[bytes], None]]:
        asked = False

        def hear(chunk: bytes) -> None:
            nonlocal asked
            asked = asked or not (self._scheme == "mongodb" and _housekeeping(chunk))

        def answer(_: bytes) -> None:
            nonlocal asked
            self.round_trips += asked
            asked = False

        return hear, answer


async def _forward(source: socket.socket, target: socket.socket, passes: Callable[[bytes], Awaitable[bool]]) -> None:
    loop = asyncio.get_running_loop()
    target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with suppress(OSError):  # one of both is gone, as the other now learns
        while chunk := await loop.sock_recv(source, 65_536):
            if await passes(chunk):
                await loop.sock_sendall(target, chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _ignore(_: bytes) -> None:
    """Note nothing."""


def _housekeeping(message: bytes) -> bool:
    """Tell whether a message is a handshake of the old kind, or its command one of those."""
    opcode, command = int.from_bytes(message[12:16], "little"), message[26:]
    return opcode != OP_MSG or command.startswith(HOUSEKEEPING)


def _by_port(parts: SplitResult, port: int) -> str:
    user, at, _ = parts.netloc.rpartition("@")
    query = parts.query
    if parts.scheme.startswith("mongodb") and "directConnection" not in query:
        query = f"{query}&directConnection=true".lstrip("&")
    return parts._replace(netloc=f"{user}{at}127.0.0.1:{port}", path=parts.path or "/", query=query).geturl()
