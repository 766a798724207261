"""The verdict on one adapter, and its outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum, IntEnum

import attrs

from authx_contract.terms import Level
from authx_contract.verdict.outcome import Outcome, Status


class Verdict(Enum):
    """The suite's judgement of an adapter."""

    CONFORMS = "CONFORMS"
    CONFORMS_WITH_WAIVERS = "CONFORMS WITH WAIVERS"
    INCOMPLETE = "INCOMPLETE"
    """Some clause could not be run, or only some were selected."""
    FAILED = "FAILED"
    NOT_RUN = "NOT RUN"
    COULD_NOT_START = "COULD NOT START"
    DISHONEST = "DISHONEST HARNESS"

    @property
    def conforms(self) -> bool:
        """Whether a badge may be written."""
        return self in {Verdict.CONFORMS, Verdict.CONFORMS_WITH_WAIVERS}


class Exit(IntEnum):
    """The exit codes of the command line."""

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
    """The outcomes of one run on one adapter."""

    name: str
    level: Level
    outcomes: Sequence[Outcome] = ()
    partial: bool = False
    """Only some clauses were selected."""
    trouble: str = ""
    """The reason why no clause could run."""
    dishonest: bool = False
    """Whether the reason is a harness that does not do what it declares."""
    notes: Sequence[str] = ()
    seed: int = 0
    version: str = ""
    """The version of authx-users."""
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """The verdict; the worst outcome decides."""
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
        """The verdict, with the level if the adapter conforms."""
        return f"{self.verdict.value} (level {self.level})" if self.verdict.conforms else self.verdict.value

    @property
    def exit(self) -> Exit:
        """The exit code of the command line."""
        return _EXITS.get(self.verdict, Exit.INCOMPLETE)

    @property
    def counts(self) -> dict[str, int]:
        """The number of outcomes by status, in the order of `Status`."""
        found = Counter(each.status for each in self.outcomes)
        return {status.value: found[status] for status in Status if found[status]}
