"""A server of our own: the same port and the same data from its first start to its end."""

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
"""Where Debian keeps servers that are not on everybody's PATH."""

PATIENCE = 60.0
"""How many seconds a server may take to answer, recovery from a crash included."""


class Unavailable(Exception):
    """A server cannot be had here, for the reason given."""


class Server(ABC):
    """One server with a port and a folder of its own, whose settings favour speed but keep what survives SIGKILL.

    Nothing waits for the disk: what a process handed to the system outlives it, and no test pulls the plug. What guards
    against pages half written stays on, for a kill may fall into a write.
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
        """Make what the first start needs."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """Tell how to start it in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether it serves clients."""

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, for the first time or again, and wait until it answers."""
        if not self.runs:
            self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it without waiting."""
        if self._process is None:
            self.prepare()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a server's own program
                self.command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as,
            )

    def wait(self) -> None:
        """Wait until it answers."""
        until(lambda: self.answers() or not self.runs, f"{self.kind} does not answer")
        if not self.runs:
            raise ChildProcessError(f"{self.kind} does not start: {self.log.read_text(errors='replace')[-2000:]}")

    def run(self, *command: str | Path) -> None:
        """Run a program to its end as the user that the server will have."""
        done = subprocess.run(  # noqa: S603 - likewise
            command, cwd=self.folder, capture_output=True, text=True, check=False, **self._as
        )
        if done.returncode:
            raise ChildProcessError(f"{command[0]} fails: {(done.stderr or done.stdout)[-2000:]}")

    def stop(self) -> None:
        """End it in an orderly way; it may be started again."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL at once, with all its children, as a crash would."""
        if self._process is not None:
            self._process.kill()  # the search for the children takes a busy process seconds
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it stop where it is: its connections stay open, new ones are accepted by the system, nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it for good: neither a process nor its folder is left."""
        guard.clear(self.folder)
        self.reap()

    def _signal(self, which: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(which)

    def _end(self, by: signal.Signals) -> None:
        guard.end(self.folder, by=by)
        self.reap()

    def reap(self) -> None:
        """Take note that it ended."""
        if self._process is not None:
            self._process.wait()


def free_port() -> int:
    """Find a free port below those that the system gives to clients, so that it stays free while a server is down."""
    while True:
        with socket.socket() as probe:
            port = 15_000 + secrets.randbelow(17_000)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def program(*names: str, wheel: str = "") -> Path:
    """Find a program in a wheel, on the PATH or where Debian keeps it."""
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
    raise Unavailable(f"no {' or '.join(names)} here" + (f", and {wheel} is not installed" if wheel else ""))


def until(condition: Callable[[], T], complaint: str) -> T:
    """Wait until something holds, and return it."""
    deadline = time.monotonic() + PATIENCE
    while not (held := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(complaint)
        time.sleep(0.02)
    return held
