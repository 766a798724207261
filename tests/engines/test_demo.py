"""The demo runs on each server, blocking or asynchronous, with its cache in memory or in the same database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import servers
from authx_adapters import connect_blocking
from servers.spaces import DatabaseKind

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


@pytest.mark.parametrize(
    ("kind", "blocking", "shared_cache"),
    [
        ("postgres", False, True),
        ("mariadb", True, False),
        ("mongodb", False, False),
    ],
)
def test_the_demo_passes_and_leaves_no_user_behind(kind: DatabaseKind, blocking: bool, shared_cache: bool) -> None:  # noqa: FBT001 - a table's columns
    with servers.database(kind) as url:
        command = [sys.executable, str(DEMO), "--url", url, *(["--cache-url", url] if shared_cache else [])]
        command += ["--blocking"] * blocking
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
        assert done.returncode == 0, done.stdout + done.stderr
        assert "passed in" in done.stdout
        with connect_blocking(url) as users:
            assert users.search() == ([], 0)


def test_the_demo_explains_a_wrong_url() -> None:
    for options, reason in (
        (["--url", "oracle://localhost/test"], "url: says 'oracle', but must be one of"),
        (["--url", "postgresql://localhost:1/test"], "store unavailable"),
        (["--cache-url", "redis://localhost"], "Redis measures lifetimes with its own clock"),
    ):
        done = subprocess.run([sys.executable, str(DEMO), *options], capture_output=True, text=True, check=False)  # noqa: S603 - our own program
        assert done.returncode == 2
        assert reason in done.stderr
        assert "Traceback" not in done.stderr
