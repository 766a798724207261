"""Fixtures for every test: a clock that stands still, and an event loop; servers come from `servers`."""

from __future__ import annotations

import asyncio
import inspect
import os
import tempfile
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import servers
from authx_adapters.clock import ManualClock
from servers import folders

if memory := folders.memory():
    os.environ.setdefault("TMPDIR", str(memory))
    tempfile.tempdir = None  # forget the folder that pytest may have caused it to choose


@contextmanager
def missing_servers_skip() -> Iterator[None]:
    """Skip a test whose server is not available; in CI, where every server is, fail it."""
    try:
        yield
    except servers.Unavailable as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason), pytrace=False)
        pytest.skip(str(reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    with missing_servers_skip():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    with missing_servers_skip():
        return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write down why tests were skipped; `nox -s tests` collects the reasons and repeats them at its end."""
    if notes := os.environ.get("AUTHX_TEST_SKIPPED"):
        reasons = [str(report.longrepr[-1]) for report in terminalreporter.stats.get("skipped", [])]
        with Path(notes).open("a", encoding="utf-8") as file:
            file.writelines(f"{reason.removeprefix('Skipped: ')}\n" for reason in reasons)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def`` test, in the loop of its fixtures if it has one."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    test = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    runner = pyfuncitem.funcargs.get("runner")
    if isinstance(runner, asyncio.Runner):
        runner.run(test)
    else:
        asyncio.run(test)
    return True


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for a test and its fixtures, with enough threads for real parallelism."""
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(ThreadPoolExecutor(24))
        yield runner
