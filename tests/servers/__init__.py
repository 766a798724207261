"""Real servers for the tests: found where they are named or running, otherwise started for this process alone.

`url` tells of a server that all tests share, `database` and `prefix` lend a space of one's own on it, and `private`
lends a server that one may kill. `pooled` puts a pooler before a PostgreSQL, `galera` lends a cluster of MariaDB. What
cannot be had raises `Unavailable`, which `tests/conftest.py` turns into a skip, or under ``CI=true`` into a failure.
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
