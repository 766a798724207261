"""What became of a clause."""

from __future__ import annotations

from enum import Enum
from textwrap import indent

import attrs

from authx_core.contract.clause import Clause


class Status(Enum):
    """What became of a clause."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It could not be run."""
    INAPPLICABLE = "not applicable"
    """The adapter declares that it has no such thing."""
    PENDING = "pending"
    """It failed, but binds only from the next release on."""
    WAIVED = "waived"
    """It failed, as its waiver says."""
    PASSED_THOUGH_WAIVED = "passed though waived"
    WAIVER_ENDED = "waiver ended"

    @property
    def bad(self) -> bool:
        """Whether it makes the verdict `FAILED`."""
        return self in {Status.FAILED, Status.PASSED_THOUGH_WAIVED, Status.WAIVER_ENDED}

    @property
    def ran(self) -> bool:
        """Whether the clause was run at all."""
        return self not in {Status.SKIPPED, Status.INAPPLICABLE}


@attrs.frozen(kw_only=True)
class Outcome:
    """What became of one clause over one adapter."""

    clause: Clause
    status: Status
    seconds: float = 0.0
    reason: str = ""
    """Why it was skipped, waived …"""
    observed: str = ""
    """What was seen when it failed, with the facts."""
    error: BaseException | None = attrs.field(default=None, repr=False, eq=False)

    def __str__(self) -> str:
        """Say all there is to say, in a few lines."""
        lines = [f"{self.clause.id} {self.status.value}: {self.clause.sentence}"]
        if self.reason:
            lines.append(f"reason:    {self.reason}")
        if self.observed:
            told = indent(self.observed, " " * 11).strip()
            lines += [f"observed:  {told}", f"means:     {self.clause.means}", f"usually:   {self.clause.cause}"]
        return "\n".join(lines)


def explanation(clause: Clause) -> str:
    """Explain a clause that has not failed."""
    kind = f"level {clause.level}, {clause.kind}, since {clause.since}"
    needs = f"\nneeds:     {', '.join(clause.needs)}" if clause.needs else ""
    return (
        f"{clause.id}: {clause.sentence}\n({clause.port}, {kind}){needs}\n"
        f"means:     {clause.means}\nusually:   {clause.cause}"
    )
