"""A forked child gets its own connections: parent and child never read each other's replies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from engines.drivers import DRIVERS, SQL, Driver

TIMEOUT: Final = 150
TESTS: Final = Path(__file__).parents[1]


def of(*names: str) -> pytest.MarkDecorator:
    """Run a test with each of these drivers."""
    return pytest.mark.parametrize("driver", [DRIVERS[name] for name in names], ids=str)


@pytest.mark.parametrize("driver", SQL, ids=str)
async def test_a_forked_child_gets_connections_of_its_own(driver: Driver) -> None:
    """So does the child's child, also while another thread of the parent holds connections and locks."""
    forked(driver, "raw")


@pytest.mark.parametrize("driver", [each for each in SQL if not each.blocking], ids=str)
async def test_a_child_forked_in_a_running_loop_has_its_own_loop_and_connections(driver: Driver) -> None:
    forked(driver, "in_loop")


@of("psycopg", "pymysql", "asyncpg", "asyncmy", "pymongo", "pymongo-set", "redis", "redis-cluster")
async def test_workers_of_a_forking_process_pool_have_their_own_connections(driver: Driver) -> None:
    forked(driver, "in_pool")


@of("sqlite", "psycopg")
async def test_a_threaded_port_has_its_own_threads_in_a_child(driver: Driver) -> None:
    forked(driver, "threaded")


@pytest.mark.parametrize("driver", SQL, ids=str)
async def test_a_connection_or_session_of_the_parent_is_refused_in_a_child(driver: Driver) -> None:
    forked(driver, "joined")


@of("psycopg", "pymysql")
async def test_a_child_that_uses_an_engine_without_our_adapters_has_its_own_connections(driver: Driver) -> None:
    """Also if the parent holds every connection that the pool allows."""
    forked(driver, "held")


@of("psycopg", "pymysql")
async def test_a_child_forked_without_pythons_hooks_gets_its_own_connections(driver: Driver) -> None:
    forked(driver, "without_hooks")


@of("psycopg", "pymysql", "asyncpg")
async def test_a_child_forked_during_the_first_connection_learns_about_the_server(driver: Driver) -> None:
    """SQLAlchemy asks once for the server's version and defaults; the parent has not finished asking."""
    forked(driver, "first")


def forked(driver: Driver, how: str) -> None:
    """Run `engines.forking`, which must succeed."""
    with driver.space() as url:
        script = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-m", "engines.forking", driver.name, url, how],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    assert (script.returncode, script.stderr) == (0, "")
