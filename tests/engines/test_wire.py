"""The counter of round trips, on exchanges with a known number; and the relay's faults."""

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


def test_a_postgresql_statement_is_one_round_trip_and_closing_is_none() -> None:
    with wire.Counter(servers.url("postgres")) as counter:
        with postgresql.connect(counter.url) as connection:
            assert counter.round_trips > 0
            counter.reset()
            assert connection.execute("SELECT %s::int", (1,)).fetchone() == (1,)
            assert counter.round_trips == 1
            connection.execute("SELECT generate_series(1, 200000)")
            assert counter.round_trips == 2
        assert counter.round_trips == 2


def test_a_postgresql_pipeline_is_one_round_trip() -> None:
    with wire.Counter(servers.url("postgres")) as counter, postgresql.connect(counter.url) as connection:
        counter.reset()
        with connection.pipeline():
            for n in range(10):
                connection.execute("SELECT %s::int", (n,))
        assert counter.round_trips == 1


def test_a_mariadb_statement_is_one_round_trip() -> None:
    with wire.Counter(servers.url("mariadb")) as counter, mariadb.connect(counter.url) as cursor:
        counter.reset()
        cursor.execute("SELECT 1")
        cursor.execute("SELECT %s", ("x" * 1_000_000,))
        assert counter.round_trips == 2


class Heartbeats(ServerHeartbeatListener):
    """Sets `three` after the driver's third heartbeat."""

    def __init__(self) -> None:
        self.three = Event()
        self.count = 0

    def started(self, event: object) -> None: ...

    def succeeded(self, event: object) -> None:  # noqa: ARG002 - PyMongo's signature
        self.count += 1
        if self.count == 3:
            self.three.set()

    def failed(self, event: object) -> None: ...


def test_a_mongodb_command_is_one_round_trip_and_a_heartbeat_is_none() -> None:
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


def test_a_redis_command_or_pipeline_is_one_round_trip() -> None:
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


async def test_round_trips_of_many_connections_add_up() -> None:
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


def test_the_relay_closes_connections_when_the_server_is_killed() -> None:
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


def test_a_frozen_relay_delivers_after_it_thaws() -> None:
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


def test_a_relay_that_forgot_its_connections_serves_new_ones() -> None:
    with wire.Relay(servers.url("postgres")) as relay:
        lost = postgresql.connect(relay.url)
        relay.forget()
        with postgresql.connect(relay.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        lost.pgconn.send_query(b"SELECT 1")
        assert select([lost.pgconn.socket], [], [], 0.2) == ([], [], [])
        lost.close()
