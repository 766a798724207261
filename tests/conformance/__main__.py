"""Run the suite on the project's own adapters, and write the conformance page: ``python -m conformance``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import get_args

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from authx_contract import Harness, Report, verify
from authx_contract.terms import Level
from authx_contract.verdict.verify import select
from conformance.adapters import adapters, losing_its_server
from conformance.page import PAGE, write
from conformance.runs import load, run_of, save
from conformance.versions import versions
from servers import Unavailable


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the selected adapters; return 1 unless all of them conform."""
    everything = adapters()
    given = _parser().parse_args(arguments)
    if given.page:
        write(everything, load())
        return 0
    chosen = [name for name in everything if not given.only or any(part in name for part in given.only)]
    if not chosen:
        sys.stderr.write(f"no adapter has this in its name; choose from {', '.join(everything)}\n")
        return 3
    conforming = 0
    logging.getLogger().addHandler(logging.NullHandler())  # drivers log what races and outages do to them
    console = Console(highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        overall = progress.add_task("adapters", total=len(chosen))
        for name in chosen:
            try:
                report = _verified(everything[name], given.level, given.seed, progress)
            except Unavailable as reason:
                console.print(Text(f"{name}: COULD NOT START: {reason}", style="bold red"))
            else:
                _save(everything, report)
                _print(console, report)
                conforming += report.verdict.conforms
            progress.advance(overall)
    console.print(f"{conforming} of {len(chosen)} conform; the results are in {PAGE.name}")
    return 0 if conforming == len(chosen) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument(
        "--level", type=int, choices=get_args(Level), default=3, help="3 by default, on private servers"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="PART", help="adapters with this in their name; may be repeated"
    )
    parser.add_argument("--page", action="store_true", help="write the page from the data, and run nothing")
    parser.add_argument("--seed", type=int, help="repeat the random choices of the run with this seed")
    return parser


def _verified(harness: type[Harness], level: Level, seed: int | None, progress: Progress) -> Report:
    if level == max(get_args(Level)):
        harness = losing_its_server(harness)
    task = progress.add_task(harness.name, total=len(select(harness, level=level)))
    try:
        return verify(harness, level=level, seed=seed, progress=lambda _: progress.advance(task))
    finally:
        progress.remove_task(task)


def _save(everything: Mapping[str, type[Harness]], report: Report) -> None:
    """Write the result at once: the next adapter may take long."""
    runs = load() | {report.name: run_of(report, versions(everything[report.name]))}
    save(runs[name] for name in everything if name in runs)
    write(everything, runs)


def _print(console: Console, report: Report) -> None:
    style = "green" if report.verdict.conforms else "bold red"
    console.print(f"{report.name}: {report.seconds:.1f} s", Text(report.headline, style=style))
    for outcome in report.outcomes:
        if outcome.status.bad or (outcome.reason and not report.verdict.conforms):
            console.print(Text(str(outcome)), soft_wrap=True)
    if report.trouble:
        console.print(Text(report.trouble, style="bold red"))


if __name__ == "__main__":
    sys.exit(main())
