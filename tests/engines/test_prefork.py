"""Servers that import an application and fork then: each of their workers gets connections of its own."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import pytest
from celery import Celery
from sqlalchemy import make_url

import servers
from authx_contract.samples.users import full_user
from authx_core import run
from engines.drivers import DRIVERS, Driver, prepare

PATIENCE: Final = 30
"""Seconds in which a server has started, or answers."""
WORKERS: Final = 2
CALLS: Final = 100
TESTS: Final = Path(__file__).parents[1]
DIALECTS: Final = {"psycopg": "postgresql+psycopg", "pymysql": "mariadb+pymysql"}
each = pytest.mark.parametrize("driver", [DRIVERS[name] for name in DIALECTS], ids=str)
Ask = Callable[[str], list[str]]
"""Asks a worker who has an id; returns the id that was found, the server's number of the connection, and the worker's
process."""


@each
def test_workers_of_gunicorn_with_preload_read_no_reply_of_others(driver: Driver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        at = f"127.0.0.1:{free.getsockname()[1]}"

    def ask(user_id: str) -> list[str]:
        with urlopen(f"http://{at}/{user_id}", timeout=PATIENCE) as response:
            return str(response.read().decode()).split()

    serve(driver, ["gunicorn", "--preload", "-w", f"{WORKERS}", "-b", at, "engines.served:application"], {}, ask)


@each
def test_workers_of_celery_read_no_reply_of_others(driver: Driver) -> None:
    queue = {"AUTHX_BROKER": servers.url("redis"), "AUTHX_QUEUE": f"authx-{secrets.token_hex(8)}"}
    celery = Celery(broker=queue["AUTHX_BROKER"], backend=queue["AUTHX_BROKER"])

    def ask(user_id: str) -> list[str]:
        result = celery.send_task("asked", [user_id], queue=queue["AUTHX_QUEUE"])
        return list(result.get(timeout=PATIENCE))

    command = ["celery", "-A", "engines.worked", "worker", "-P", "prefork", "-c", f"{WORKERS}"]
    serve(driver, [*command, "--without-gossip", "--without-mingle", "-l", "WARNING"], queue, ask)


def serve(driver: Driver, command: list[str], settings: dict[str, str], ask: Ask) -> None:
    """Start a server, and ask it for several people at once."""
    with driver.space() as url:
        address = make_url(url).set(drivername=DIALECTS[driver.name]).render_as_string(hide_password=False)
        engine = driver.open(url)
        store = driver.users(engine, url)
        run(prepare(store))
        ids = [run(store.create(full_user(f"user-{number}"))).id for number in range(8)]
        engine.dispose()
        with running(command, settings | {"AUTHX_URL": address}), ThreadPoolExecutor(8) as threads:
            started(lambda: ask(ids[0]))
            wanted = [ids[number % len(ids)] for number in range(CALLS)]
            answers = list(threads.map(ask, wanted))
    assert [found for found, _, _ in answers] == wanted
    processes = {process for _, _, process in answers}
    assert len(processes) == WORKERS
    assert len({connection for _, connection, _ in answers}) == WORKERS, "they share a connection"


@contextmanager
def running(command: list[str], settings: dict[str, str]) -> Generator[None, None, None]:
    path = os.pathsep.join([str(TESTS), *sys.path])
    server = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-m", *command],
        env=os.environ | settings | {"PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(PATIENCE)
        with suppress(ProcessLookupError):  # workers that hang outlive their server
            os.killpg(server.pid, signal.SIGKILL)
        server.wait(PATIENCE)


def started(ask: Callable[[], object]) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            ask()
        except OSError:
            assert time.monotonic() < until, "it does not start"
            time.sleep(0.1)
        else:
            return
