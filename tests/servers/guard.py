"""End the servers that work in temporary folders, and remove these.

As a script, read folders from the standard input until it closes, as the system sees to even when the writer is killed.
"""

from __future__ import annotations

import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

PATIENCE = 5.0
"""How many seconds a server has to end by itself."""


def working_in(*folders: Path) -> list[psutil.Process]:
    """List the processes whose working directory is in one of the folders, as with all our servers and their children.

    Neither a process group (each PostgreSQL backend leads one) nor the parent (the first to die) tells as much.
    """
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it ended meanwhile, or is somebody else's
            place = Path(process.cwd())
            if any(place.is_relative_to(folder) for folder in folders):
                found.append(process)
    return found


def end(*folders: Path, by: signal.Signals = signal.SIGTERM) -> None:
    """End the servers in the folders, with all their children; with SIGKILL what has not gone in time."""
    while found := working_in(*folders):
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(by)
        deadline = time.monotonic() + PATIENCE
        while found and time.monotonic() < deadline:
            time.sleep(0.02)
            found = working_in(*folders)
        by = signal.SIGKILL


def clear(*folders: Path) -> None:
    """End the servers in the folders in an orderly way (a killed PostgreSQL leaves shared memory), and remove these."""
    end(*folders)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    clear(*[Path(line.rstrip("\n")) for line in sys.stdin])
