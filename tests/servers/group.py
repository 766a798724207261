"""Several servers that are one to their clients."""

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
    """Servers that are started and ended together; a killed one comes back with `start`."""

    url: str

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members

    @abstractmethod
    def assemble(self) -> None:
        """Make one of the members, which have just been started, and wait until they serve as one."""

    def start(self) -> None:
        """Start the members that do not run, and wait until all serve as one."""
        idle = [member for member in self.members if not member.runs]
        for member in idle:
            member.launch()
        for member in idle:
            member.wait()
        self.assemble()

    def stop(self) -> None:
        """End all in an orderly way."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End all with SIGKILL."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """End all for good."""
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
