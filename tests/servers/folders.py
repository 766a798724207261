"""Temporary folders for servers, watched by a process that clears them after us, however we end."""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
from functools import cache
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

from servers import guard


def create(kind: str) -> Path:
    """Make a folder that is cleared when this process ends."""
    everybodys = "/tmp" if os.geteuid() == 0 else None  # noqa: S108 - root's own may be out of reach for the server's user
    folder = Path(tempfile.mkdtemp(prefix=f"authx-{kind}-", dir=everybodys)).resolve()
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
