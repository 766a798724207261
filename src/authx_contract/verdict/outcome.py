"""The outcome of a clause."""

from __future__ import annotations

import traceback
from enum import Enum
from textwrap import fill, indent
from typing import Final

import attrs

from authx_contract.clause import Clause

_WIDTH: Final = 120
_MARGIN: Final = " " * 11
"""The width of the label before each text."""


class Status(Enum):
    """How a clause ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It could not be run."""
    INAPPLICABLE = "not applicable"
    """The adapter declares that it lacks the capability."""
    PENDING = "pending"
    """It failed, but does not bind before the next release."""
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
        """Whether the clause was run."""
        return self not in {Status.SKIPPED, Status.INAPPLICABLE}


@attrs.frozen(kw_only=True)
class Outcome:
    """The result of one clause on one adapter."""

    clause: Clause
    status: Status
    seconds: float = 0.0
    reason: str = ""
    """Why it was skipped, waived or left pending."""
    observed: str = ""
    """The observation and its evidence, if it failed."""
    error: BaseException | None = attrs.field(default=None, repr=False, eq=False)

    @property
    def unwritten(self) -> str:
        """The method whose `NotImplementedError` made it fail, if any."""
        if not isinstance(self.error, NotImplementedError):
            return ""
        return next((frame.name for frame in reversed(traceback.extract_tb(self.error.__traceback__))), "")

    @property
    def headline(self) -> str:
        """The clause and its status."""
        return f"{self.clause.id} {self.status.value}: {self.clause.sentence}"

    @property
    def details(self) -> str:
        """The reason, the observation, its meaning and its usual cause."""
        lines = [_aligned("reason:", self.reason)] if self.reason else []
        if self.observed:
            lines.append(f"observed:  {indent(self.observed, _MARGIN).strip()}")
        if self.observed and not self.unwritten:
            lines += [_aligned("means:", self.clause.means), _aligned("usually:", self.clause.cause)]
        return "\n".join(lines)

    def __str__(self) -> str:
        """Return the headline and the details."""
        return "\n".join(filter(None, [self.headline, self.details]))


def explanation(clause: Clause) -> str:
    """Explain a clause that has not failed."""
    kind = f"level {clause.level}, {clause.kind}, since {clause.since}"
    lines = [f"{clause.id}: {clause.sentence}", f"({clause.port}, {kind})"]
    lines += [_aligned("needs:", ", ".join(clause.needs))] if clause.needs else []
    return "\n".join([*lines, _aligned("means:", clause.means), _aligned("usually:", clause.cause)])


def _aligned(word: str, text: str) -> str:
    return fill(
        f"{word:{len(_MARGIN)}}{text}", _WIDTH, subsequent_indent=_MARGIN,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
