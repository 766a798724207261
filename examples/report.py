"""What holds and what does not, as a transcript that people can read."""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from authx_core import AuthxError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Iterator

    from people import Refusal


class Report:
    """Counts what was shown, and keeps going when something does not hold."""

    def __init__(self) -> None:
        """Begin with nothing shown."""
        self.console = Console(highlight=False)
        self.held = 0
        self.failed = 0
        self._started = perf_counter()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Put a heading over what is shown next; an error that nobody expected fails this step alone."""
        self.console.print(f"\n[bold]{escape(title)}[/bold]")
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the rest of the day still counts
            self._failed("the step runs to its end", "no error", f"{type(error).__name__}: {error}")

    def equal(self, claim: str, expected: object, actual: object) -> None:
        """Show that two values are equal; neither may be a secret."""
        if expected == actual:
            self.held += 1
            self.console.print(f"  [green]✓[/green] {escape(claim)}")
        else:
            self._failed(claim, repr(expected), repr(actual))

    def true(self, claim: str, actual: object) -> None:
        """Show that something is so."""
        self.equal(claim, expected=True, actual=bool(actual))

    async def refused(self, claim: str, expected: type[AuthxError], call: Awaitable[object]) -> None:
        """Show that a call is refused with exactly this error."""
        try:
            await call
        except AuthxError as error:
            self.equal(claim, expected.__name__, type(error).__name__)
        else:
            self._failed(claim, expected.__name__, "no error")

    def refusals(self, refusals: Iterable[Refusal]) -> None:
        """List the lines of a file that were refused."""
        table = Table("line", "field", "reason", title="Refused", title_justify="left")
        for refusal in refusals:
            table.add_row(str(refusal.line), refusal.field or "(row)", escape(refusal.reason))
        self.console.print(table)

    def close(self) -> int:
        """Sum up, and return the exit status."""
        seconds = perf_counter() - self._started
        outcome = f"[red]✗ {self.failed} did not hold[/red], " if self.failed else ""
        self.console.print(f"\n{outcome}[green]✓ {self.held} held[/green] in {seconds:.1f} s")
        return 1 if self.failed else 0

    def _failed(self, claim: str, expected: str, actual: str) -> None:
        self.failed += 1
        told = escape(f"{claim}: expected {expected}, actual {actual}")
        self.console.print(f"  [red]✗ {told}[/red]")
