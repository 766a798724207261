"""The output in a terminal: a progress bar, a table, each failure explained, and the verdict."""

from __future__ import annotations

from textwrap import fill
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from authx_contract.verdict.outcome import Outcome, Status
from authx_contract.verdict.report import Exit, Report

_WIDTH: Final = 120
"""Columns if the output is not a terminal."""
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
    """Shows the progress of a run, and its report."""

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
        """Advance by one clause."""
        self._progress.update(self._task, advance=1, description=outcome.clause.id)

    def show(self, report: Report) -> None:
        """Show the whole report."""
        if report.outcomes:
            self._console.print(_table(report))
        for each in report.outcomes:
            if not each.unwritten and (each.status.bad or each.status in {Status.WAIVED, Status.PENDING}):
                self._console.print(_explained(each), soft_wrap=True)
        self._console.print(_unwritten(report), end="")
        for note in report.notes:
            self._console.print(f"[dim]not checked: {escape(note)}[/]")
        if report.trouble:
            self._console.print(Text(report.trouble, style="bold red"))
        if report.partial and report.outcomes:
            self._console.print("[yellow]only some clauses were selected, so the adapter cannot conform[/]")
        self._console.print(_hint(report), style="dim", end="")
        style = {Exit.CONFORMS: "bold green", Exit.INCOMPLETE: "bold yellow"}.get(report.exit, "bold red")
        counts = ", ".join(f"{number} {status}" for status, number in report.counts.items())
        about = f"{report.name}: {counts or 'no clause ran'} · seed {report.seed} · {report.seconds:.1f} s"
        self._console.print(f"\n{escape(about)}")
        self._console.print(Text(report.headline, style=style))


def _explained(outcome: Outcome) -> Text:
    return Text.assemble("\n", (outcome.headline, _STYLES[outcome.status]), f"\n{outcome.details}")


def _unwritten(report: Report) -> Text:
    """Name each unwritten method once, with the clauses that wait for it."""
    waiting = dict[str, list[str]]()
    for each in report.outcomes:
        if each.unwritten and each.status is Status.FAILED:
            waiting.setdefault(f"`{each.unwritten}`", []).append(each.clause.id)
    if not waiting:
        return Text()
    width = max(map(len, waiting))
    lines = [
        fill(f"{method:{width}}  {' '.join(ids)}", _WIDTH, subsequent_indent=" " * (width + 2))
        for method, ids in waiting.items()
    ]
    return Text.assemble(
        "\n", ("not written yet, and the clauses that wait for it:", "bold red"), "\n", "\n".join(lines), "\n"
    )


def _hint(report: Report) -> str:
    first = next((each for each in report.outcomes if each.status is Status.FAILED), None)
    if first is None:
        return ""
    id_ = first.clause.id
    return f"\nto run one clause: --only {id_} --seed {report.seed}; to explain it: --explain {id_}\n"


def _table(report: Report) -> Table:
    table = Table("clause", "level", "", "what holds", box=None, header_style="dim")
    for each in report.outcomes:
        status = Text(each.status.value, style=_STYLES[each.status])
        reason = f"\n({each.reason})" if each.reason else ""
        table.add_row(each.clause.id, str(each.clause.level), status, Text(each.clause.sentence + reason))
    return table
