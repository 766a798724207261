"""Temporary folders for servers, watched by a process that clears them after us, however we end."""

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
    """Return where files lie in memory, if there is plenty: nothing waits for a disk there."""
    memory = Path("/dev/shm")  # noqa: S108 - what we make within has a name that nobody else has
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _PLENTY:
        return memory
    return None


def create(kind: str) -> Path:
    """Make a folder that is cleared when this process ends."""
    # A server that is killed keeps its files in memory, too, and no test pulls the plug. Root's own temporary folder
    # may be out of reach for the server's user.
    place = memory() or ("/tmp" if os.geteuid() == 0 else None)  # noqa: S108 - likewise
    folder = Path(tempfile.mkdtemp(prefix=f"authx-{kind}-", dir=place)).resolve()
    told = _watch().stdin
    assert told is not None
    told.write(f"{folder}\n")
    told.flush()
    return folder


@cache
def _watch() -> Popen[str]:
    """Start the guard, in a session of its own, where an interrupt from the keyboard does not reach it."""
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
