"""The results as a table for the screen and as a page of the documentation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from platform import python_version
from typing import Final

import attrs
from rich.table import Table

from authx_contract import Clause
from detection.runs import Tallies, Tally, by_chance

_ABOUT: Final = """\
# Detection rates

A test finds a race only with luck, and a test that accuses at random is worse than none. So each race, crash and model
clause of the [contract](contract.md) ran many times: over the mutants of the zoo that name it, in memory, on SQLite
files, and on PostgreSQL, MariaDB, MongoDB and Redis; and over correct adapters, the project's own and those of the zoo.
Sequence clauses find their mutants every time, as [the matrix](mutants.md) shows, so they ran over the correct adapters
only. Outages and killed processes take too long for this and are part of [conformance](conformance.md).
`nox -s detection -- --markdown docs/detection.md` repeats the measurement and writes this page."""


@attrs.frozen
class Row:
    """How often one clause found its mutants, and how often it accused correct adapters."""

    clause: Clause
    mutants: int
    guilty: Tally
    hardest: tuple[str, Tally] | None
    correct: int
    innocent: Tally

    @classmethod
    def of(cls, clause: Clause, found: Tallies) -> Row:
        """Sum up the tallies of a clause."""
        its = {pair: tally for pair, tally in found.items() if pair.clause == clause.id}
        guilty = {pair.subject: tally for pair, tally in its.items() if pair.guilty}
        correct = [tally for pair, tally in its.items() if not pair.guilty]
        hardest = min(guilty.items(), key=lambda item: item[1].failed / max(item[1].runs, 1), default=None)
        return cls(clause, len(guilty), _sum(guilty.values()), hardest, len(correct), _sum(correct))

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the cells of the clause's row."""
        hard = ""
        if self.hardest is not None and self.guilty.failed < self.guilty.runs:
            name, tally = self.hardest
            hard = f"{name}: {tally.failed}/{tally.runs}"
        rate = f"{self.guilty.failed / self.guilty.runs:.1%}" if self.guilty.runs else ""
        return (
            self.clause.id, self.clause.kind, str(self.mutants), f"{self.guilty.failed}/{self.guilty.runs}", rate, hard,
            str(self.correct), f"{self.innocent.failed}/{self.innocent.runs}",
        )  # fmt: skip


HEADINGS: Final = ("clause", "kind", "mutants", "found", "rate", "hardest to find", "correct adapters", "accused")


def _sum(tallies: Iterable[Tally]) -> Tally:
    whole = Tally()
    for each in tallies:
        whole.add(each)
    return whole


def table(rows: Sequence[Row]) -> Table:
    """Return the table for the screen, with sequence clauses only if they accused an adapter."""
    shown = Table(*HEADINGS, title="Detection and false alarms")
    for row in filter(lambda row: by_chance(row.clause) or row.innocent.failed, rows):
        sure = row.guilty.failed == row.guilty.runs and not row.innocent.failed
        shown.add_row(*row.cells, style="" if sure else "yellow")
    return shown


def markdown(rows: Sequence[Row], found: Tallies) -> str:
    """Return the page."""
    guilty, innocent = _sum(row.guilty for row in rows), _sum(row.innocent for row in rows)
    sequences = [row.innocent for row in rows if not by_chance(row.clause)]
    correct = sorted({pair.subject for pair in found if not pair.guilty})
    today, python = datetime.now(timezone.utc).date(), python_version()
    lines = [
        _ABOUT,
        "",
        f"**Found: {guilty.failed} of {guilty.runs} runs over mutants.**",
        f"**Accused: {innocent.failed} of {innocent.runs} runs over correct adapters.**",
        "",
        f"On {today}, authx-users {version('authx-users')}, Python {python}, {os.cpu_count()} cores.",
        "",
        f"| {' | '.join(HEADINGS)} |",
        "|---|---|--:|--:|--:|---|--:|--:|",
        *(f"| {' | '.join(_linked(row.cells))} |" for row in rows if by_chance(row.clause)),
        "",
        _about(sequences),
        "",
        "The correct adapters; each got about the same time, so the fast ones ran more often:",
        f"{', '.join(f'`{name}`' for name in correct)}.",
    ]
    return "\n".join(lines) + "\n"


def _about(sequences: Sequence[Tally]) -> str:
    whole, least = _sum(sequences), min(tally.runs for tally in sequences)
    return f"The {len(sequences)} sequences: accused in {whole.failed} of {whole.runs} runs, at least {least} of each."


def _linked(cells: Sequence[str]) -> Iterator[str]:
    yield f"[{cells[0]}](contract-clauses.md#{cells[0].lower()})"
    yield from cells[1:]
