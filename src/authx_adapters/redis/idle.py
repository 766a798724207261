"""Connections that ended while nobody used them.

redis-py looks for them before it uses one, but not in an asynchronous cluster, nor where it listens to a server's notes
on its maintenance, as it does by default: there, the first calls after an idle night would fail, or be sent twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redis.asyncio import RedisCluster


async def close_ended(client: Any) -> None:
    """Close those of an asynchronous client that the server has ended; who uses one next opens it anew."""
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
