"""``list``: every clause, one on a line or as the page of the documentation."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from authx_contract.registry import all_clauses
from authx_contract.verdict.report import Exit
from authx_contract.views.formats import clause_page


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser("list", help="list the clauses")
    parser.add_argument("--markdown", action="store_true", help="as the page of the documentation")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> Exit:
    return show(markdown=bool(given.markdown))


def show(*, markdown: bool = False) -> Exit:
    """Print the clauses."""
    if markdown:
        sys.stdout.write(clause_page(all_clauses()))
    else:
        for each in all_clauses():
            sys.stdout.write(f"{each.id}  {each.level}  {each.kind:8}  {each.sentence}\n")
    return Exit.CONFORMS
