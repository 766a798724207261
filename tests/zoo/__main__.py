"""Print the kill matrix: ``python -m zoo``; exit 1 if a mutant lives or a correct adapter is accused."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from zoo.machinery.matrix import Matrix, Row, examined
from zoo.machinery.pages import markdown, unexplained
from zoo.machinery.reasons import REASONS
from zoo.machinery.registry import Specimen, zoo
from zoo.machinery.thinning import superfluous


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the zoo."""
    parser = argparse.ArgumentParser(prog="python -m zoo", description=__doc__)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the matrix as a page")
    parser.add_argument("--servers", action="store_true", help="also run specimens that need a server")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (2)")
    parser.add_argument("names", nargs="*", help="specimens, or their files, such as users.races (all)")
    given = parser.parse_args(arguments)
    chosen = {
        name: each
        for name, each in zoo().items()
        if (given.servers or each.needs is None) and (not given.names or {name, each.group} & set(given.names))
    }
    found = Matrix(chosen, _rows(chosen, given.workers))
    console = Console()
    console.print(_table(found))
    faults = [*found.faults(), *(unexplained(found) if not given.names else ())]
    for fault in faults:
        console.print(fault, style="red", markup=False, highlight=False)
    for each in superfluous(found):
        console.print(each, style="yellow", markup=False, highlight=False)
    correct = len(chosen) - len(found.mutants)
    console.print(f"{len(found.mutants)} mutants, {correct} correct adapters, {len(faults)} faults")
    if given.markdown:
        given.markdown.write_text(markdown(found), encoding="utf-8")
    return 1 if faults else 0


def _rows(chosen: dict[str, Specimen], workers: int) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    with Progress(transient=True) as progress:
        task = progress.add_task("specimens", total=len(chosen))
        with examined(chosen, workers=workers) as futures:
            for future in as_completed(futures.values()):
                rows[future.result().name] = future.result()
                progress.advance(task)
    return rows


def _table(found: Matrix) -> Table:
    table = Table("clause", "kills", "alone", "of them", title="The kill matrix")
    for id_ in found.clauses():
        alone = found.only_by(id_)
        shown = ", ".join(alone[:3]) + (" …" if len(alone) > 3 else "")
        table.add_row(id_, str(len(found.killed_by(id_))), str(len(alone)), shown or f"[dim]{REASONS.get(id_, '')}")
    return table


if __name__ == "__main__":
    sys.exit(main())
