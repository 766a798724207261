"""Servers that import an application and then fork: each worker process gets its own connections."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import pytest
from celery import Celery

import servers
from authx_adapters.clock import SystemClock
from authx_contract.samples.users import full_user
from engines.drivers import DRIVERS, Driver, prepare

TIMEOUT: Final = 60
"""Seconds within which a server starts or answers."""
WORKERS: Final = 2
CALLS: Final = 100
TESTS: Final = Path(__file__).parents[1]
SERVED: Final = [driver for driver in DRIVERS.values() if driver.blocking and driver.kind]
USERS: Final = [full_user(f"user-{number}") for number in range(8)]
each = pytest.mark.parametrize("driver", SERVED, ids=str)
Ask = Callable[[str, str], Any]
"""Asks a worker to read a key with a driver; returns the result, the numbers of the worker's connections and its id."""


@each
def test_gunicorn_workers_after_preload_share_no_connection(driver: Driver, gunicorn: Ask) -> None:
    check_workers(driver, gunicorn)


@each
def test_celery_workers_share_no_connection(driver: Driver, celery: Ask) -> None:
    check_workers(driver, celery)


def check_workers(driver: Driver, ask: Ask) -> None:
    """Read several keys at once; check each reply, and that no connection has two processes."""
    require_server(driver)
    keys = [USERS[number % len(USERS)].id for number in range(CALLS)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda key: ask(driver.name, key), keys))
    assert [found for found, _, _ in answers] == keys
    owners: dict[str, set[int]] = defaultdict(set)
    for _, connections, process in answers:
        for connection in connections:
            owners[connection].add(process)
    assert [len(processes) for processes in owners.values()] == [1] * len(owners), "two workers share a connection"
    assert len(set.union(*owners.values())) == WORKERS


@pytest.fixture(scope="module")
def gunicorn(spaces: str) -> Iterator[Ask]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        at = f"127.0.0.1:{free.getsockname()[1]}"

    def ask(driver: str, key: str) -> Any:
        with urlopen(f"http://{at}/{driver}/{key}", timeout=TIMEOUT) as response:
            return json.load(response)

    command = ["gunicorn", "--preload", "-w", f"{WORKERS}", "-b", at, "engines.prefork_app:application"]
    with running(command, {"AUTHX_SPACES": spaces}):
        wait_for(at)
        yield ask


@pytest.fixture(scope="module")
def celery(spaces: str) -> Iterator[Ask]:
    queue = {"AUTHX_BROKER": servers.url("redis"), "AUTHX_QUEUE": f"authx-{secrets.token_hex(8)}"}
    client = Celery(broker=queue["AUTHX_BROKER"], backend=queue["AUTHX_BROKER"])

    def ask(driver: str, key: str) -> Any:
        return client.send_task("ask", [driver, key], queue=queue["AUTHX_QUEUE"]).get(timeout=TIMEOUT)

    command = ["celery", "-A", "engines.celery_app", "worker", "-P", "prefork", "-c", f"{WORKERS}"]
    command += ["--without-gossip", "--without-mingle", "-l", "WARNING"]
    with running(command, queue | {"AUTHX_SPACES": spaces}):
        yield ask


@pytest.fixture(scope="module")
def spaces() -> Iterator[str]:
    """Lend a filled space for each driver whose server is available, as JSON."""
    with ExitStack() as stack:
        urls = {}
        for driver in SERVED:
            with suppress(servers.Unavailable):
                require_server(driver)
                urls[driver.name] = stack.enter_context(driver.space())
                asyncio.run(fill(driver, urls[driver.name]))
        yield json.dumps(urls)


def require_server(driver: Driver) -> None:
    """Raise `Unavailable` if the driver's server is not available."""
    assert driver.kind
    servers.url(driver.kind)


async def fill(driver: Driver, url: str) -> None:
    """Store all users, or their ids in a cache."""
    async with driver.client(url) as client:
        if driver.keeps_users:
            store = driver.users(client, url)
            await prepare(store)
            for user in USERS:
                await store.create(user)
        else:
            for user in USERS:
                await driver.cache(client, url, SystemClock()).set(user.id, user.id, ttl=timedelta(hours=1))


@contextmanager
def running(command: list[str], settings: dict[str, str]) -> Generator[None, None, None]:
    path = os.pathsep.join([str(TESTS), *sys.path])
    server = subprocess.Popen(  # noqa: S603 - our own server
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
            server.wait(TIMEOUT)
        with suppress(ProcessLookupError):  # hanging workers outlive their server
            os.killpg(server.pid, signal.SIGKILL)
        server.wait(TIMEOUT)


def wait_for(at: str) -> None:
    """Wait until a server answers."""
    host, port = at.split(":")
    until = time.monotonic() + TIMEOUT
    while True:
        try:
            socket.create_connection((host, int(port)), TIMEOUT).close()
        except OSError:
            assert time.monotonic() < until, "the server did not start in time"
            time.sleep(0.1)
        else:
            return
