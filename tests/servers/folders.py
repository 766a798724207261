"""Temporary folders for servers; a guard process removes them however this process ends."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

from servers import guard

_PLENTY = 8 * 1024**3


def memory() -> Path | None:
    """Return a folder in memory, which waits for no disk, if there is plenty of room."""
    memory = Path("/dev/shm")  # noqa: S108 - the folders inside have unique names
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _PLENTY:
        return memory
    return None


def create(kind: str) -> Path:
    """Make a folder that is cleared when this process ends."""
    # Files in memory survive a killed server, and no test cuts the power. The server's user may not be able to read
    # root's own temporary folder.
    place = memory() or ("/tmp" if os.geteuid() == 0 else None)  # noqa: S108 - the same
    folder = Path(tempfile.mkdtemp(prefix=f"authx-{kind}-", dir=place)).resolve()
    created = _watch().stdin
    assert created is not None
    created.write(f"{folder}\n")
    created.flush()
    return folder


@cache
def _watch() -> Popen[str]:
    """Start the guard in a new session, where an interrupt from the keyboard does not reach it."""
    watch = Popen(  # noqa: S603 - our own script
        [sys.executable, "-P", guard.__file__],
        cwd="/",
        stdin=PIPE,
        stdout=DEVNULL,
        stderr=DEVNULL,
        text=True,
        start_new_session=True,
    )
    atexit.register(watch.communicate)
    return watch
