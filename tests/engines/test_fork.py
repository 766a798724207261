"""A forked child gets connections of its own: it reads no reply of its parent's, and its parent none of its."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from engines.drivers import DRIVERS, SQL, Driver

FORKING: Final = SQL
"""Drivers of which it is proved."""
PATIENCE: Final = 150
TESTS: Final = Path(__file__).parents[1]


@pytest.mark.parametrize("driver", FORKING, ids=str)
async def test_a_forked_child_gets_connections_of_its_own(driver: Driver) -> None:
    """Also a child of a child, and also if another thread of the parent holds connections and locks."""
    forked(driver, "raw")


@pytest.mark.parametrize("driver", [each for each in FORKING if not each.blocking], ids=str)
async def test_a_child_that_was_forked_in_a_running_loop_has_a_loop_and_connections_of_its_own(driver: Driver) -> None:
    forked(driver, "in_loop")


@pytest.mark.parametrize("driver", [DRIVERS[name] for name in ("psycopg", "pymysql", "asyncpg", "asyncmy")], ids=str)
async def test_a_pool_of_multiprocessing_that_forks_has_connections_of_its_own(driver: Driver) -> None:
    forked(driver, "in_pool")


@pytest.mark.parametrize("driver", [DRIVERS[name] for name in ("sqlite", "psycopg")], ids=str)
async def test_a_threaded_port_has_threads_of_its_own_in_a_child(driver: Driver) -> None:
    forked(driver, "threaded")


@pytest.mark.parametrize("driver", SQL, ids=str)
async def test_a_connection_or_session_of_the_parent_is_refused_in_a_child_by_name(driver: Driver) -> None:
    forked(driver, "joined")


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
