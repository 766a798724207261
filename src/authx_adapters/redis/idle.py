"""Connections that the server closed while they were idle.

redis-py checks a connection before it uses it, but not in an asynchronous cluster, nor if it listens to maintenance
notifications, as it does by default. Then the first calls after an idle night would fail, or be sent twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redis.asyncio import RedisCluster


async def close_ended(client: Any) -> None:
    """Close our side of an asynchronous client's connections that the server has closed; the next use reopens them."""
    for connection in [*_idle(client)]:
        reader = getattr(connection, "_reader", None)  # there is no public way to ask
        if reader is not None and reader.at_eof():
            await connection.disconnect(nowait=True)


def _idle(client: Any) -> Iterator[Any]:
    if isinstance(client, RedisCluster):
        for node in client.get_nodes():
            yield from getattr(node, "_free", ())
    else:
        yield from getattr(client.connection_pool, "_available_connections", ())
