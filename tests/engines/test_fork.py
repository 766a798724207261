"""A forked child gets connections of its own: it reads no reply of its parent's, and its parent none of its."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from engines.drivers import DRIVERS, SQL, Driver

PATIENCE: Final = 150
TESTS: Final = Path(__file__).parents[1]


def of(*names: str) -> pytest.MarkDecorator:
    """Run a test with each of these drivers."""
    return pytest.mark.parametrize("driver", [DRIVERS[name] for name in names], ids=str)


@pytest.mark.parametrize("driver", SQL, ids=str)
async def test_a_forked_child_gets_connections_of_its_own(driver: Driver) -> None:
    """Also a child of a child, and also if another thread of the parent holds connections and locks."""
    forked(driver, "raw")


@pytest.mark.parametrize("driver", [each for each in SQL if not each.blocking], ids=str)
async def test_a_child_that_was_forked_in_a_running_loop_has_a_loop_and_connections_of_its_own(driver: Driver) -> None:
    forked(driver, "in_loop")


@of("psycopg", "pymysql", "asyncpg", "asyncmy", "pymongo", "pymongo-set", "redis", "redis-cluster")
async def test_a_pool_of_multiprocessing_that_forks_has_connections_of_its_own(driver: Driver) -> None:
    forked(driver, "in_pool")


@of("sqlite", "psycopg")
async def test_a_threaded_port_has_threads_of_its_own_in_a_child(driver: Driver) -> None:
    forked(driver, "threaded")


@pytest.mark.parametrize("driver", SQL, ids=str)
async def test_a_connection_or_session_of_the_parent_is_refused_in_a_child_by_name(driver: Driver) -> None:
    forked(driver, "joined")


@of("psycopg", "pymysql")
async def test_a_child_that_uses_an_engine_without_our_adapters_has_connections_of_its_own(driver: Driver) -> None:
    """Also if its parent holds all that the engine's pool may have."""
    forked(driver, "held")


@of("psycopg", "pymysql")
async def test_a_child_that_was_forked_without_pythons_hooks_gets_connections_of_its_own(driver: Driver) -> None:
    forked(driver, "unheard")


@of("psycopg", "pymysql", "asyncpg")
async def test_a_child_that_is_forked_during_the_first_connection_knows_the_server(driver: Driver) -> None:
    """SQLAlchemy asks for its version and defaults once: its parent has begun to."""
    forked(driver, "first")


def forked(driver: Driver, how: str) -> None:
    """Run the script in which a process forks."""
    with driver.space() as url:
        script = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-m", "engines.forking", driver.name, url, how],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert (script.returncode, script.stderr) == (0, "")
