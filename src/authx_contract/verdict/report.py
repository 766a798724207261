"""The verdict over one adapter, and what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum, IntEnum

import attrs

from authx_contract.terms import Level
from authx_contract.verdict.outcome import Outcome, Status


class Verdict(Enum):
    """What the suite says of an adapter."""

    CONFORMS = "CONFORMS"
    CONFORMS_WITH_WAIVERS = "CONFORMS WITH WAIVERS"
    INCOMPLETE = "INCOMPLETE"
    """Something could not be run, or was not asked for."""
    FAILED = "FAILED"
    NOT_RUN = "NOT RUN"
    COULD_NOT_START = "COULD NOT START"
    DISHONEST = "DISHONEST HARNESS"

    @property
    def conforms(self) -> bool:
        """Whether a badge may be written."""
        return self in {Verdict.CONFORMS, Verdict.CONFORMS_WITH_WAIVERS}


class Exit(IntEnum):
    """What the command line ends with."""

    CONFORMS = 0
    FAILED = 1
    INCOMPLETE = 2
    COULD_NOT_START = 3
    DISHONEST = 4


_EXITS = {
    Verdict.CONFORMS: Exit.CONFORMS,
    Verdict.CONFORMS_WITH_WAIVERS: Exit.CONFORMS,
    Verdict.FAILED: Exit.FAILED,
    Verdict.COULD_NOT_START: Exit.COULD_NOT_START,
    Verdict.DISHONEST: Exit.DISHONEST,
}


@attrs.frozen(kw_only=True)
class Report:
    """What was run over one adapter, and what became of it."""

    name: str
    level: Level
    outcomes: Sequence[Outcome] = ()
    partial: bool = False
    """Only some clauses were asked for."""
    trouble: str = ""
    """Why nothing could be run."""
    dishonest: bool = False
    """The trouble is a harness that does not do what it says."""
    notes: Sequence[str] = ()
    seed: int = 0
    version: str = ""
    """Of authx-users."""
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """Judge: the worst thing decides."""
        found = Counter(each.status for each in self.outcomes)
        if self.trouble:
            return Verdict.DISHONEST if self.dishonest else Verdict.COULD_NOT_START
        if any(status.bad for status in found):
            return Verdict.FAILED
        if not any(status.ran for status in found):
            return Verdict.NOT_RUN
        if found[Status.SKIPPED] or self.partial:
            return Verdict.INCOMPLETE
        return Verdict.CONFORMS_WITH_WAIVERS if found[Status.WAIVED] else Verdict.CONFORMS

    @property
    def headline(self) -> str:
        """Say the verdict with its level."""
        return f"{self.verdict.value} (level {self.level})" if self.verdict.conforms else self.verdict.value

    @property
    def exit(self) -> Exit:
        """Return what the command line ends with."""
        return _EXITS.get(self.verdict, Exit.INCOMPLETE)

    @property
    def counts(self) -> dict[str, int]:
        """Count the outcomes by status, in the order of `Status`."""
        found = Counter(each.status for each in self.outcomes)
        return {status.value: found[status] for status in Status if found[status]}
