"""The counter of round trips, against exchanges whose number is known."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from select import select
from threading import Event
from typing import Any

import psycopg
import pytest
from pymongo import MongoClient
from pymongo.monitoring import ServerHeartbeatListener
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

import servers
import wire
from servers import mariadb, postgresql


def test_each_statement_to_postgresql_is_one_and_a_farewell_none() -> None:
    with wire.Counter(servers.url("postgres")) as counter:
        with postgresql.connect(counter.url) as connection:
            assert counter.round_trips > 0
            counter.reset()
            assert connection.execute("SELECT %s::int", (1,)).fetchone() == (1,)
            assert counter.round_trips == 1
            connection.execute("SELECT generate_series(1, 200000)")
            assert counter.round_trips == 2
        assert counter.round_trips == 2


def test_what_is_pipelined_to_postgresql_is_one() -> None:
    with wire.Counter(servers.url("postgres")) as counter, postgresql.connect(counter.url) as connection:
        counter.reset()
        with connection.pipeline():
            for n in range(10):
                connection.execute("SELECT %s::int", (n,))
        assert counter.round_trips == 1


def test_each_statement_to_mariadb_is_one() -> None:
    with wire.Counter(servers.url("mariadb")) as counter, mariadb.connect(counter.url) as cursor:
        counter.reset()
        cursor.execute("SELECT 1")
        cursor.execute("SELECT %s", ("x" * 1_000_000,))
        assert counter.round_trips == 2


class Heartbeats(ServerHeartbeatListener):
    """Waits until the driver has looked three times whether its server is there."""

    def __init__(self) -> None:
        self.three = Event()
        self.count = 0

    def started(self, event: object) -> None: ...

    def succeeded(self, event: object) -> None:  # noqa: ARG002 - the driver names it
        self.count += 1
        if self.count == 3:
            self.three.set()

    def failed(self, event: object) -> None: ...


def test_each_command_to_mongodb_is_one_and_what_its_driver_says_by_itself_none() -> None:
    with wire.Counter(servers.url("mongodb")) as counter:
        heartbeats = Heartbeats()
        with MongoClient[dict[str, Any]](
            counter.url, heartbeatFrequencyMS=500, serverMonitoringMode="poll", event_listeners=[heartbeats]
        ) as client:
            client.admin.command("ping")
            client.admin.command("ping")
            assert heartbeats.three.wait(30)
            assert counter.round_trips == 2
        assert counter.round_trips == 2


def test_each_command_to_redis_is_one_and_so_is_a_pipeline() -> None:
    with wire.Counter(servers.url("redis")) as counter, Redis.from_url(counter.url) as client:
        client.ping()
        counter.reset()
        client.echo("1")
        client.echo("x" * 1_000_000)
        assert counter.round_trips == 2
        pipeline = client.pipeline(transaction=False)
        for n in range(100):
            pipeline.echo(str(n))
        pipeline.execute()
        assert counter.round_trips == 3


async def test_those_of_many_asynchronous_connections_add_up() -> None:
    async def talk(client: AsyncRedis) -> None:
        for n in range(4):
            await client.echo(str(n))

    with wire.Counter(servers.url("redis")) as counter:
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(AsyncRedis.from_url(counter.url)) for _ in range(50)]
            await asyncio.gather(*[client.ping() for client in clients])
            counter.reset()
            await asyncio.gather(*[talk(client) for client in clients])
            assert counter.round_trips == 200


def test_who_is_connected_learns_that_the_server_has_gone() -> None:
    with servers.private("postgres") as server, wire.Counter(server.url) as counter:
        with postgresql.connect(counter.url) as connection:
            server.kill()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            postgresql.connect(counter.url)
        server.start()
        with postgresql.connect(counter.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_frozen_relay_holds_back_what_a_thawed_one_delivers() -> None:
    with wire.Relay(servers.url("postgres")) as relay, postgresql.connect(relay.url) as connection:
        relay.freeze()
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(lambda: connection.execute("SELECT 1").fetchone())
            with pytest.raises(psycopg.errors.ConnectionTimeout):
                psycopg.connect(relay.url, connect_timeout=2)
            assert not answer.done()
            relay.thaw()
            assert answer.result(10) == (1,)
        assert postgresql.admits(relay.url)


def test_a_relay_forgets_connections_and_serves_new_ones() -> None:
    with wire.Relay(servers.url("postgres")) as relay:
        lost = postgresql.connect(relay.url)
        relay.forget()
        with postgresql.connect(relay.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        lost.pgconn.send_query(b"SELECT 1")
        assert select([lost.pgconn.socket], [], [], 0.2) == ([], [], [])
        lost.close()
