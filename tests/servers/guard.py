"""Stop the servers that run in temporary folders, and remove the folders.

As a script, read folders from standard input until it closes; the system closes it even if the writer is killed.
"""

from __future__ import annotations

import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

GRACE = 5.0
"""Seconds that a server has to stop before it is killed."""


def working_in(*folders: Path) -> list[psutil.Process]:
    """Return the processes whose working directory is in one of the folders: our servers and their children.

    A process group would not find them all (each PostgreSQL backend leads one), nor would the parent, which dies first.
    """
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has just ended, or belongs to another user
            place = Path(process.cwd())
            if any(place.is_relative_to(folder) for folder in folders):
                found.append(process)
    return found


def end(*folders: Path, by: signal.Signals = signal.SIGTERM) -> None:
    """Stop the servers in the folders and their children; kill those that do not stop in time."""
    while found := working_in(*folders):
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(by)
        deadline = time.monotonic() + GRACE
        while found and time.monotonic() < deadline:
            time.sleep(0.02)
            found = working_in(*folders)
        by = signal.SIGKILL


def clear(*folders: Path) -> None:
    """Stop the servers with SIGTERM, since a killed PostgreSQL leaves shared memory, and remove the folders."""
    end(*folders)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    clear(*[Path(line.rstrip("\n")) for line in sys.stdin])
