"""The command line: one module for each subcommand, with `add` for its arguments."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from authx_contract.verdict.report import Exit
from authx_contract.views.cli import creating, listing, verifying

_COMMANDS: Final = (verifying, creating, listing)


class _Parser(argparse.ArgumentParser):
    """A parser that does not exit with argparse's code for wrong usage, which is that of `INCOMPLETE`."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(Exit.COULD_NOT_START, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return the exit code."""
    parser = _Parser(
        prog="python -m authx_contract",
        description="Verify an adapter of authx-users' ports.",
        epilog="Exit: 0 conforms, 1 failed, 2 incomplete, 3 could not start, 4 the harness is dishonest.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    given = parser.parse_args(arguments)
    return int(given.run(given))
