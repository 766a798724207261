"""What a person sees: a progress bar, a table, each failure explained, and the verdict."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from authx_core.contract.outcome import Outcome, Status
from authx_core.contract.report import Report

_WIDTH: Final = 120
"""Columns where there is no terminal."""
_STYLES: Final = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.SKIPPED: "yellow",
    Status.INAPPLICABLE: "dim",
    Status.PENDING: "yellow",
    Status.WAIVED: "yellow",
    Status.PASSED_THOUGH_WAIVED: "bold red",
    Status.WAIVER_ENDED: "bold red",
}


class Screen:
    """Shows a run while it goes on, and its report."""

    def __init__(self, total: int, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        if not self._console.is_terminal:
            self._console.width = _WIDTH
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=self._console, transient=True, disable=not self._console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("harness", total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def ran(self, outcome: Outcome) -> None:
        """Go on by one."""
        self._progress.update(self._task, advance=1, description=outcome.clause.id)

    def show(self, report: Report) -> None:
        """Show the whole report."""
        if report.outcomes:
            self._console.print(_table(report))
        for each in report.outcomes:
            if each.status.bad or each.status in {Status.WAIVED, Status.PENDING}:
                self._console.print(Text(f"\n{each}", style=_STYLES[each.status]), soft_wrap=True)
        for note in report.notes:
            self._console.print(f"[dim]not checked: {escape(note)}[/]")
        if report.trouble:
            self._console.print(Text(report.trouble, style="bold red"))
        if report.partial:
            self._console.print("[yellow]only some clauses were asked for, so nothing can conform[/]")
        style = "bold green" if report.verdict.conforms else "bold red"
        counts = ", ".join(f"{number} {status}" for status, number in report.counts.items())
        about = f"{report.name}: {counts or 'no clause ran'} · seed {report.seed} · {report.seconds:.1f} s"
        self._console.print(f"\n{escape(about)}")
        self._console.print(Text(report.headline, style=style))


def _table(report: Report) -> Table:
    table = Table("clause", "level", "", "what holds", box=None, header_style="dim")
    for each in report.outcomes:
        status = Text(each.status.value, style=_STYLES[each.status])
        reason = f"\n({each.reason})" if each.reason else ""
        table.add_row(each.clause.id, str(each.clause.level), status, Text(each.clause.sentence + reason))
    return table
