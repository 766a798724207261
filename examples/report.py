"""A readable transcript of passed and failed checks."""

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
    """Prints and counts checks, and continues after a failed one."""

    def __init__(self) -> None:
        """Start the clock and the counts."""
        self.console = Console(highlight=False)
        self.passed = 0
        self.failed = 0
        self._started = perf_counter()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print a heading for the checks of the block; an unexpected error fails only this step."""
        self.console.print(f"\n[bold]{escape(title)}[/bold]")
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the other steps still run
            self._failed("the step runs to its end", "no error", f"{type(error).__name__}: {error}")

    def equal(self, claim: str, expected: object, actual: object) -> None:
        """Check that two values are equal; a failure prints them, so neither may be a secret."""
        if expected == actual:
            self.passed += 1
            self.console.print(f"  [green]✓[/green] {escape(claim)}")
        else:
            self._failed(claim, repr(expected), repr(actual))

    def true(self, claim: str, actual: object) -> None:
        """Check that a value is true."""
        self.equal(claim, expected=True, actual=bool(actual))

    async def refused(self, claim: str, expected: type[AuthxError], call: Awaitable[object]) -> None:
        """Check that a call raises exactly this error."""
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
        outcome = f"[red]✗ {self.failed} failed[/red], " if self.failed else ""
        self.console.print(f"\n{outcome}[green]✓ {self.passed} passed[/green] in {seconds:.1f} s")
        return 1 if self.failed else 0

    def _failed(self, claim: str, expected: str, actual: str) -> None:
        self.failed += 1
        message = escape(f"{claim}: expected {expected}, actual {actual}")
        self.console.print(f"  [red]✗ {message}[/red]")
