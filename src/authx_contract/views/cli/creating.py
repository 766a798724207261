"""``new``: a small project that starts red and says what to do next."""

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
    parser.add_argument("name", help="of the package to write, such as my_adapter")
    parser.add_argument("--users", action="store_true", help="with a user store, as without --cache")
    parser.add_argument("--cache", action="store_true", help="with a cache")
    parser.add_argument("--asynchronous", action="store_true", help="for a client that is awaited")
    parser.add_argument("--into", type=Path, default=Path(), metavar="FOLDER", help="where to; the current one if not")
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
