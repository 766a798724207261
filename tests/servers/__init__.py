"""Real servers for the tests: found where they are named or running, otherwise started for this process alone.

`url` tells of a server that all tests share, `database` and `prefix` lend a space of one's own on it, and `private`
lends a server that one may kill. What cannot be had raises `Unavailable`, which `tests/conftest.py` turns into a skip,
or under ``CI=true`` into a failure.
"""

from servers.private import Kind, private
from servers.process import Server, Unavailable
from servers.shared import KINDS, url
from servers.spaces import database, lasting, prefix

__all__ = ["KINDS", "Kind", "Server", "Unavailable", "database", "lasting", "prefix", "private", "url"]
