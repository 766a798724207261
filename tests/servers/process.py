"""A server that tests start: it keeps its port and its data across restarts."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from servers import folders, guard

T = TypeVar("T")

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/sbin", "/usr/sbin")
"""Where Debian installs servers outside of the usual PATH."""

TIMEOUT = 60.0
"""Seconds that a server may take to answer, including recovery from a crash."""


class Unavailable(Exception):
    """A server is not available, for the reason given."""


class Server(ABC):
    """One server with its own port and folder, whose settings favour speed but keep data across SIGKILL.

    Nothing waits for the disk: the operating system keeps the writes of a killed process, and no test cuts the power.
    Protection against half-written pages stays on, since a kill may interrupt a write.
    """

    kind: ClassVar[str]
    refuses_root: ClassVar[bool] = False
    url: str

    def __init__(self) -> None:
        self.folder = folders.create(self.kind)
        self.log = self.folder / "log"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        if self.refuses_root and os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    @abstractmethod
    def prepare(self) -> None:
        """Create the files that the first start needs."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """Return the command that runs the server in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Return whether the server serves clients."""

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start or restart the server, and wait until it answers."""
        if not self.runs:
            self.launch()
        self.wait()

    def launch(self) -> None:
        """Start the server without waiting."""
        if self._process is None:
            self.prepare()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self.command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as,
            )

    def wait(self) -> None:
        """Wait until the server answers."""
        until(lambda: self.answers() or not self.runs, f"{self.kind} does not answer")
        if not self.runs:
            raise ChildProcessError(f"{self.kind} does not start: {self.log.read_text(errors='replace')[-2000:]}")

    def run(self, *command: str | Path) -> None:
        """Run a program as the server's user, and wait for it."""
        done = subprocess.run(  # noqa: S603 - the same
            command, cwd=self.folder, capture_output=True, text=True, check=False, **self._as
        )
        if done.returncode:
            raise ChildProcessError(f"{command[0]} fails: {(done.stderr or done.stdout)[-2000:]}")

    def stop(self) -> None:
        """Stop the server with SIGTERM; it can be started again."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the server and its children with SIGKILL, like a crash."""
        if self._process is not None:
            self._process.kill()  # first, for finding the children can take seconds
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Suspend the server: its connections stay open and the system accepts new ones, but none is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume the server."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop the server and remove its folder."""
        guard.clear(self.folder)
        self.reap()

    def _signal(self, which: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(which)

    def _end(self, by: signal.Signals) -> None:
        guard.end(self.folder, by=by)
        self.reap()

    def reap(self) -> None:
        """Wait for the process, so that no zombie is left."""
        if self._process is not None:
            self._process.wait()


def free_port() -> int:
    """Return a free port below the ephemeral range, so that it stays free while a server is down."""
    while True:
        with socket.socket() as probe:
            port = 15_000 + secrets.randbelow(17_000)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def program(*names: str, wheel: str = "") -> Path:
    """Find a program in a wheel, on the PATH or in `PLACES`."""
    try:
        files = distribution(wheel).files or [] if wheel else []
    except PackageNotFoundError:
        files = []
    for file in files:
        if file.name in names and (path := Path(str(file.locate()))).is_file():
            if not os.access(path, os.X_OK):
                path.chmod(path.stat().st_mode | 0o111)
            return path
    newest_first = sorted((str(place) for pattern in PLACES for place in Path("/").glob(pattern[1:])), reverse=True)
    path_and_places = os.pathsep.join([os.environ.get("PATH", os.defpath), *newest_first])
    for name in names:
        if found := shutil.which(name, path=path_and_places):
            return Path(found).resolve()
    raise Unavailable(f"{' or '.join(names)} was not found" + (f", and {wheel} is not installed" if wheel else ""))


def until(condition: Callable[[], T], message: str) -> T:
    """Wait until the condition returns a true value, and return it."""
    deadline = time.monotonic() + TIMEOUT
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(message)
        time.sleep(0.02)
    return value
