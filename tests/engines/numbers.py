"""The numbers that servers give to connections: two processes with the same number share a connection."""

from __future__ import annotations

from typing import Any

from pymongo import MongoClient
from redis import Redis, RedisCluster
from sqlalchemy import Connection, func, select


def connections(client: Any) -> list[str]:
    """Return the numbers of the connections that a blocking client uses."""
    match client:
        case MongoClient():
            return [str(client.admin.command("hello")["connectionId"])]
        case Redis():
            return [str(client.client_id())]
        case RedisCluster():
            ids: Any = client.client_id(target_nodes=RedisCluster.PRIMARIES)
            return [f"{node} {number}" for node, number in ids.items()]
    with client.connect() as connection:
        return [str(number(connection))]


def number(connection: Connection) -> int:
    """Return the number of a connection of PostgreSQL or MariaDB."""
    own = func.pg_backend_pid() if connection.dialect.name == "postgresql" else func.connection_id()
    return int(connection.execute(select(own)).scalar_one())
