"""Real servers for the tests: named by the environment, already running, or else started for this process alone.

`url` returns the server that all tests share; `database` and `prefix` lend an empty space on it; `private` lends a
server that a test may kill. `pooled` puts a pooler in front of a PostgreSQL; `galera` lends a cluster of MariaDB. A
missing server raises `Unavailable`, which `tests/conftest.py` turns into a skip, or under ``CI=true`` into a failure.
"""

from servers.galera import Galera, galera
from servers.pgbouncer import pooled
from servers.private import Kind, private
from servers.process import Server, Unavailable
from servers.shared import KINDS, url
from servers.spaces import database, lasting, prefix

__all__ = [
    "KINDS",
    "Galera",
    "Kind",
    "Server",
    "Unavailable",
    "database",
    "galera",
    "lasting",
    "pooled",
    "prefix",
    "private",
    "url",
]
