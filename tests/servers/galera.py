"""MariaDB Galera: three writable nodes, from the Debian packages `mariadb-server`, `galera-4` and `rsync`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql

from servers.group import Group
from servers.mariadb import MariaDB, connect
from servers.private import first_start
from servers.process import Unavailable, free_port, program, until

PROVIDERS = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so")


class Node(MariaDB):
    kind = "mariadb-galera"

    def __init__(self) -> None:
        super().__init__()
        self.talk, self.catch_up, self.copy = free_port(), free_port(), free_port()
        self.cluster = ""
        self.first = False

    def prepare(self) -> None:
        program("rsync")  # copies the data to a joining node
        if not any(Path(provider).exists() for provider in PROVIDERS):
            raise Unavailable("libgalera_smm.so was not found: install galera-4")
        super().prepare()

    def command(self) -> Sequence[str | Path]:
        provider = next(provider for provider in PROVIDERS if Path(provider).exists())
        options = {
            "base_port": self.talk,
            "gmcast.listen_addr": f"tcp://127.0.0.1:{self.talk}",
            "ist.recv_addr": f"127.0.0.1:{self.catch_up}",
            "gcache.size": "16M",
        }
        settings = {
            "binlog-format": "ROW",
            "innodb-autoinc-lock-mode": "2",
            "wsrep-on": "ON",
            "wsrep-provider": provider,
            "wsrep-provider-options": ";".join(f"{name}={value}" for name, value in options.items()),
            "wsrep-cluster-address": self.cluster,
            "wsrep-node-address": f"127.0.0.1:{self.talk}",
            "wsrep-sst-method": "rsync",
            "wsrep-sst-receive-address": f"127.0.0.1:{self.copy}",
        }
        first = ["--wsrep-new-cluster"] if self.first else []
        return [*super().command(), *(f"--{name}={value}" for name, value in settings.items()), *first]

    def answers(self) -> bool:
        return status(self.url).get("wsrep_ready") == "ON"


class Galera(Group[Node]):
    """Three nodes with their default settings; the first URL is the cluster's."""

    def __init__(self) -> None:
        super().__init__([Node(), Node(), Node()])
        self.members[0].first = True
        for member in self.members:
            member.cluster = "gcomm://" + ",".join(f"127.0.0.1:{other.talk}" for other in self.members)
        self.url = self.members[0].url

    def urls(self, database: str) -> list[str]:
        """Return the URL of a database on each node."""
        return [member.url.removesuffix("test") + database for member in self.members]

    def start(self) -> None:
        """Start the founding node first, then the nodes that join it."""
        self.members[0].start()
        self.members[0].first = False
        super().start()

    def assemble(self) -> None:
        until(
            lambda: all(status(member.url).get("wsrep_cluster_size") == "3" for member in self.members),
            "the cluster does not assemble",
        )


@contextmanager
def galera() -> Iterator[Galera]:
    """Start a new cluster for the block, and close it in any state."""
    cluster = Galera()
    try:
        first_start(cluster)
        yield cluster
    finally:
        cluster.close()


def status(url: str) -> dict[str, Any]:
    """Return the state of a node, or nothing if it does not answer."""
    try:
        with connect(url) as cursor:
            cursor.execute("SHOW STATUS LIKE 'wsrep_%'")
            return dict(cursor.fetchall())
    except pymysql.MySQLError:
        return {}
