"""``new``: a small project whose tests fail at first, with the next steps."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from authx_contract.verdict.report import Exit
from authx_contract.views.template import Kind, Project
from authx_core.domain import InvalidValue


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser("new", help="write a template of an adapter and its harness")
    parser.add_argument("name", help="name of the new package, such as my_adapter")
    parser.add_argument("--users", action="store_true", help="with a user store; the default without --cache")
    parser.add_argument("--cache", action="store_true", help="with a cache")
    parser.add_argument("--asynchronous", action="store_true", help="for a client that is awaited")
    parser.add_argument(
        "--into", type=Path, default=Path(), metavar="FOLDER", help="folder to write into; by default the current one"
    )
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> Exit:
    kinds: list[Kind] = []
    if given.users or not given.cache:
        kinds.append("users")
    if given.cache:
        kinds.append("cache")
    project = Project(module=given.name, kinds=kinds, asynchronous=given.asynchronous)
    try:
        folder = project.write(given.into)
    except (InvalidValue, OSError) as error:
        sys.stderr.write(f"could not start: {error}\n")
        return Exit.COULD_NOT_START
    sys.stdout.write(f"wrote {', '.join(project.files)} into {folder}\n\n{project.steps()}\n")
    return Exit.CONFORMS
