"""Several servers that clients see as one."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Generic, TypeVar

from servers import guard
from servers.process import Server

Member = TypeVar("Member", bound=Server)


class Group(ABC, Generic[Member]):
    """Servers that start and stop together; `start` restarts killed members."""

    url: str

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members

    @abstractmethod
    def assemble(self) -> None:
        """Form a cluster of the members, which have just been started, and wait until it serves clients."""

    def start(self) -> None:
        """Start the members that do not run, and wait until the cluster serves clients."""
        idle = [member for member in self.members if not member.runs]
        for member in idle:
            member.launch()
        for member in idle:
            member.wait()
        self.assemble()

    def stop(self) -> None:
        """Stop all members with SIGTERM."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill all members with SIGKILL."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Stop all members and remove their folders."""
        guard.clear(*self._folders)
        self._reap()

    @property
    def _folders(self) -> list[Path]:
        return [member.folder for member in self.members]

    def _end(self, by: signal.Signals) -> None:
        guard.end(*self._folders, by=by)
        self._reap()

    def _reap(self) -> None:
        for member in self.members:
            member.reap()
