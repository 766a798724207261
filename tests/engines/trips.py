"""The cost of calls on any driver: round trips on the wire, or statements on SQLite, which has no wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from pymongo import MongoClient
from redis import RedisCluster
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from engines.drivers import Driver
from wire import Counter

Meter: TypeAlias = Callable[[], int]
"""Returns the number of round trips or statements so far."""


@asynccontextmanager
async def metered(driver: Driver, url: str, **options: Any) -> AsyncGenerator[tuple[Any, Meter], None]:
    """Lend a client for a space, and a meter of its cost."""
    if driver.name in {"psycopg", "async-psycopg"}:
        options["connect_args"] = {"prepare_threshold": None}  # otherwise it prepares a statement after five uses
    with ExitStack() as stack:
        counters: list[Counter] = []

        def counted(server: str) -> str:
            counters.append(stack.enter_context(Counter(server)))
            return counters[-1].url

        match driver.kind:
            case None:
                opened = driver.client(url, **options)
            case "redis-cluster":
                ports = {node: urlsplit(counted(f"redis://127.0.0.1:{node[1]}")).port for node in _nodes(url)}
                opened = driver.client(url, address_remap=lambda node: ("127.0.0.1", ports[node]), **options)
            case "mongodb-replica-set":
                opened = driver.client(counted(_primary(url)), **options)
            case _:
                opened = driver.client(counted(url), **options)
        async with opened as client:
            meter = _statements(client) if driver.kind is None else lambda: sum(each.round_trips for each in counters)
            yield client, meter


def _nodes(url: str) -> list[tuple[str, int]]:
    with RedisCluster.from_url(url) as client:
        return [(node.host, node.port) for node in client.get_primaries()]


def _primary(url: str) -> str:
    """Return the URL of a replica set's primary, as of a standalone server."""
    with MongoClient[Any](url) as client:
        client.admin.command("ping")
        host, port = client.primary or ("127.0.0.1", 27017)
    return urlsplit(url)._replace(netloc=f"{host}:{port}", query="").geturl()


def _statements(engine: Any) -> Meter:
    """Count the statements that reach SQLite, including BEGIN and COMMIT."""
    sent: list[str] = []
    asynchronous = isinstance(engine, AsyncEngine)

    @event.listens_for(engine.sync_engine if asynchronous else engine, "connect")
    def _(connection: Any, _: object) -> None:
        if asynchronous:
            connection.run_async(lambda driver: driver.set_trace_callback(sent.append))
        else:
            connection.set_trace_callback(sent.append)

    return lambda: len(sent)
