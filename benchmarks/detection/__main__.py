"""Measure how often the contract finds faults that show only sometimes, and whether it accuses correct adapters.

Race, crash and model clauses run repeatedly over the mutants of the zoo that name them; they and the sequence clauses
also run over correct adapters. A first round of everything shows how long the rest will take.
``nox -s detection -- --markdown docs/detection.md`` writes the page.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import servers
from authx_contract import all_clauses
from authx_contract.registry import find
from conformance.adapters import adapters, kind_of
from detection.page import Row, markdown, table
from detection.runs import KINDS, OURS, Pair, Tallies, Tally, pairs, run_pair
from servers.shared import variable

MIN_CORRECT_RUNS: Final = 3
"""Runs of a clause over even the slowest correct adapter."""
BATCH: Final = 10.0
"""Seconds of work in one task of a worker process."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; exit 1 if a correct adapter was accused, or a mutant never found."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.only and given.markdown:
        parser.error("--markdown writes a page about all clauses and cannot be combined with --only")
    only = {each.id for each in find(given.only)}
    clauses = [each for each in all_clauses() if each.kind != "process" and (not only or each.id in only)]
    _find_servers()
    found: Tallies = {pair: Tally() for clause in clauses for pair in pairs(clause)}
    console = Console(highlight=False)
    workers: int = given.workers
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        console.print(
            f"first round: {len(found)} pairs of a clause and an adapter, about {len(found) / 2 / workers:.0f} s"
        )
        _run(pool, dict.fromkeys(found, 1), found, console)
        rest = _rest(found, given.runs, given.correct_runs)
        ahead = sum(number * found[pair].each for pair, number in rest.items()) / workers
        console.print(f"then {sum(rest.values())} more runs: about {ahead / 60:.1f} minutes with {workers} workers")
        if given.estimate:
            return 0
        _run(pool, rest, found, console)
    rows = [Row.of(clause, found) for clause in clauses]
    console.print(table(rows))
    for pair, tally in _noteworthy(found):
        what = "was missed" if pair.guilty else "is correct but was accused"
        count = tally.runs - tally.failed if pair.guilty else tally.failed
        console.print(
            f"{pair.subject} {what} by {pair.clause} in {count} of {tally.runs} runs\n{tally.observed}", markup=False
        )
    if given.markdown:
        given.markdown.write_text(markdown(rows, found), encoding="utf-8")
    return 1 if any(tally.failed > 0 for pair, tally in found.items() if not pair.guilty) or _never(found) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=20, help="of each clause over each mutant that names it (20)")
    parser.add_argument("--correct-runs", type=int, default=200, help="of each clause over all correct adapters (200)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="ID", help="run only this clause; may be repeated"
    )
    parser.add_argument(
        "--estimate", action="store_true", help="run only the first round, and estimate how long the rest takes"
    )
    parser.add_argument("--workers", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table as a page")
    return parser


def _find_servers() -> None:
    """Find or start the servers that the worker processes will share."""
    ours = [kind for name in OURS if (kind := kind_of(adapters()[name])) is not None]
    for kind in {*KINDS.values(), *ours}:
        os.environ[variable(kind)] = servers.url(kind)


def _rest(found: Tallies, runs: int, correct_runs: int) -> dict[Pair, int]:
    """Return the remaining runs: correct adapters get equal time, so the fast ones run more often."""
    rest = {pair: runs - tally.runs for pair, tally in found.items() if pair.guilty}
    for _, group in groupby((pair for pair in found if not pair.guilty), key=lambda pair: pair.clause):
        speeds = {pair: 1 / max(found[pair].each, 0.05) for pair in group}
        for pair, speed in speeds.items():
            share = -(-correct_runs * speed // sum(speeds.values()))
            rest[pair] = max(int(share), min(MIN_CORRECT_RUNS, correct_runs)) - found[pair].runs
    return {pair: number for pair, number in rest.items() if number > 0}


def _run(pool: ProcessPoolExecutor, plan: Mapping[Pair, int], found: Tallies, console: Console) -> None:
    """Run the plan, longest batches first, so that all workers stay busy to the end."""
    batches = sorted(_batches(plan, found), key=lambda batch: -batch[1] * found[batch[0]].each)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("runs", total=sum(plan.values()))
        futures = {pool.submit(run_pair, pair, number): (pair, number) for pair, number in batches}
        for future in as_completed(futures):
            pair, number = futures[future]
            found[pair].add(future.result())
            progress.advance(task, number)


def _batches(plan: Mapping[Pair, int], found: Tallies) -> Iterator[tuple[Pair, int]]:
    for pair, number in plan.items():
        size = max(1, int(BATCH / max(found[pair].each, 0.01)))
        for start in range(0, number, size):
            yield pair, min(size, number - start)


def _noteworthy(found: Tallies) -> Iterator[tuple[Pair, Tally]]:
    for pair, tally in found.items():
        if tally.failed < tally.runs if pair.guilty else tally.failed:
            yield pair, tally


def _never(found: Tallies) -> bool:
    return any(pair.guilty and not tally.failed for pair, tally in found.items())


if __name__ == "__main__":
    sys.exit(main())
