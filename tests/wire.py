"""Relays between clients and a server: one hangs on demand, and one counts round trips."""

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
"""The commands that MongoDB drivers send by themselves, also in the background."""

MAX_FREEZE = 60.0
"""Seconds after which a frozen relay thaws, so that a call without a timeout fails its test and blocks no others."""

OP_MSG = 2013
"""https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/"""


class Relay:
    """Forwards connections at `url` to one server, and can freeze, forget or close them.

    It runs in a thread, for blocking and asynchronous clients. A client that discovers the members of a replica set or
    a cluster connects to them directly, past the relay.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._scheme = parts.scheme.partition("+")[0]
        self._server = (parts.hostname or "127.0.0.1", parts.port or PORTS[self._scheme])
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.setblocking(False)
        self._lost = 0
        self._relays = set[asyncio.Task[None]]()
        self.url = _by_port(parts, self._listener.getsockname()[1])
        self.connections = 0
        """The number of connections accepted so far."""

    def freeze(self) -> None:
        """Forward nothing: open connections hang, and new ones are accepted but get no reply."""

        def hang() -> None:
            self._flows.clear()
            self._stuck = self._loop.call_later(MAX_FREEZE, self._flows.set)

        self._in_loop(hang)

    def thaw(self) -> None:
        """Forward everything again, including the data held back."""

        def flow() -> None:
            self._stuck.cancel()
            self._flows.set()

        self._in_loop(flow)

    def forget(self) -> None:
        """Drop the data of open connections, as a firewall may, without closing them; serve new ones."""

        def lose() -> None:
            self._lost = self.connections

        self._in_loop(lose)

    def hang_up(self) -> None:
        """Close all open connections on both sides, as a server closes idle ones."""

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
        self._listener.close()

    def _in_loop(self, action: Callable[[], None]) -> None:
        async def done() -> None:
            action()

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
                client, _ = self._listener.accept()
                client.setblocking(False)
                self.connections += 1
                relay = connections.create_task(self._relay(client, self.connections))
                self._relays.add(relay)
                relay.add_done_callback(self._relays.discard)
                relay.add_done_callback(lambda _: client.close())  # also if the task never started

            asyncio.get_running_loop().add_reader(self._listener, admit)
            try:
                await asyncio.Event().wait()
            finally:
                asyncio.get_running_loop().remove_reader(self._listener)

    async def _relay(self, client: socket.socket, number: int) -> None:
        from_client, from_server = self._observers()

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
            async with asyncio.TaskGroup() as directions:
                directions.create_task(_forward(client, server, passed(from_client)))
                directions.create_task(_forward(server, client, passed(from_server)))

    def _observers(self) -> tuple[Callable[[bytes], None], Callable[[bytes], None]]:
        """Return the observers of a new connection: one for chunks from its client, one for chunks from the server."""
        return _ignore, _ignore


class Counter(Relay):
    """Counts round trips.

    A round trip is a reply to a client that has sent something since the last reply on its connection. A pipeline
    counts once, an unanswered farewell not at all. Connecting and logging in count too, so `reset` afterwards.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.round_trips = 0

    def reset(self) -> None:
        """Count from zero."""
        self.round_trips = 0

    def _observers(self) -> tuple[Callable[[bytes], None], Callable[[bytes], None]]:
        asked = False

        def from_client(chunk: bytes) -> None:
            nonlocal asked
            asked = asked or not (self._scheme == "mongodb" and _housekeeping(chunk))

        def from_server(_: bytes) -> None:
            nonlocal asked
            self.round_trips += asked
            asked = False

        return from_client, from_server


async def _forward(source: socket.socket, target: socket.socket, passes: Callable[[bytes], Awaitable[bool]]) -> None:
    loop = asyncio.get_running_loop()
    target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with suppress(OSError):  # one side has closed; the other learns of it below
        while chunk := await loop.sock_recv(source, 65_536):
            if await passes(chunk):
                await loop.sock_sendall(target, chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _ignore(_: bytes) -> None:
    """Observe nothing."""


def _housekeeping(message: bytes) -> bool:
    """Return whether a message is an old-style handshake or a housekeeping command."""
    opcode, command = int.from_bytes(message[12:16], "little"), message[26:]
    return opcode != OP_MSG or command.startswith(HOUSEKEEPING)


def _by_port(parts: SplitResult, port: int) -> str:
    user, at, _ = parts.netloc.rpartition("@")
    query = parts.query
    if parts.scheme.startswith("mongodb") and "directConnection" not in query:
        query = f"{query}&directConnection=true".lstrip("&")
    return parts._replace(netloc=f"{user}{at}127.0.0.1:{port}", path=parts.path or "/", query=query).geturl()
