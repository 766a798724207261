"""Worker processes on the same data; `authx_contract.probes.worker` is their program."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from authx_contract.basics.violation import CannotRun, Violation
from authx_contract.trial import Trial

_TIMEOUT: Final = 60.0
"""Seconds that a worker may take to answer; it imports everything first."""
_PAUSE: Final = 0.002


class Worker:
    """A worker process with a harness of the same class and namespace."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def user(self, user_id: str) -> object:
        """Return the `summary` of a user as the worker sees it, or None."""
        return await self.ask("user", user_id)

    async def value(self, key: str) -> object:
        """Return a value of the cache as the worker sees it."""
        return await self.ask("value", key)

    async def writer(self, seed: int) -> int:
        """Fork a writer, which writes until it is killed, and return its process id."""
        answer = await self.ask("write", seed)
        try:
            return int(answer["pid"])
        except (KeyError, TypeError):
            raise Violation("a store could not be opened in another process", answer=answer) from None

    async def ask(self, *what: object) -> Any:
        """Send a line and return the answer."""
        if self._process.stdin is None or self._process.stdout is None:
            raise CannotRun("the worker process has no input or output")
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        return await self.answer()

    async def answer(self) -> Any:
        """Return the next answer."""
        if self._process.stdout is None:
            raise CannotRun("the worker process has no output")
        try:
            async with asyncio.timeout(_TIMEOUT):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise Violation(f"the worker process did not answer within {_TIMEOUT:.0f} seconds") from None
        if not line:
            raise Violation("the harness cannot be used in another process, though it declares `processes`")
        return json.loads(line)


@asynccontextmanager
async def worker_process(trial: Trial) -> AsyncGenerator[Worker, None]:
    """Start a worker that opens the same data as the trial; end it afterwards."""
    kind = type(trial.harness)
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if file is None:
        raise CannotRun(f"{kind.__qualname__} is not in a file that a worker process can import")
    where = {
        "module": kind.__module__,
        "file": file,
        "name": kind.__qualname__,
        "namespace": trial.harness.namespace,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "authx_contract.probes.worker",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    worker = Worker(process)
    try:
        if process.stdin is not None:
            process.stdin.write(json.dumps(where).encode() + b"\n")
        await worker.answer()
        yield worker
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def kill(pid: int) -> None:
    """Kill a process, as a power cut does, and wait until it has ended."""
    os.kill(pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        while True:
            os.kill(pid, 0)
            await asyncio.sleep(_PAUSE)
