"""``verify``: run the suite on one adapter."""

from __future__ import annotations

import argparse
import re
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from authx_contract.harness import Harness, ports
from authx_contract.registry import find
from authx_contract.verdict.outcome import explanation
from authx_contract.verdict.report import Exit
from authx_contract.verdict.verify import select, verify
from authx_contract.views.cli import listing
from authx_contract.views.formats import is_badge, to_badge, to_json, to_markdown


class _Unusable(Exception):
    """The request cannot be run."""


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser("verify", help="run the suite on an adapter")
    parser.add_argument("harness", nargs="?", metavar="MODULE:CLASS", help="such as my_package.harness:MyRedis")
    levels = "1: one caller; 2, the default: races and crashes too; 3: outages too"
    parser.add_argument("--level", type=int, choices=(1, 2, 3), default=2, help=levels)
    parser.add_argument(
        "--only", action="append", default=[], metavar="ID", help="only these clauses, of any level: U-021,U-023"
    )
    parser.add_argument("--seed", type=int, help="repeat the random choices of the run that printed this seed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report for programs")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the report for people")
    parser.add_argument(
        "--badge", type=Path, metavar="FILE", help="write a badge for shields.io, if the adapter conforms"
    )
    parser.add_argument(
        "--explain", action="append", default=[], metavar="ID", help="explain this clause, and run nothing"
    )
    parser.add_argument("--list", action="store_true", help="list the clauses, and run nothing")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> Exit:
    try:
        if given.list:
            return listing.show()
        if given.explain:
            sys.stdout.write("\n\n".join(explanation(each) for each in find(_ids(given.explain))) + "\n")
            return Exit.CONFORMS
        return _verified(given, _harness(given.harness), _ids(given.only))
    except (_Unusable, LookupError) as error:
        sys.stderr.write(f"could not start: {error.args[0]}\n")
        _remove_badge(given.badge)
        return Exit.COULD_NOT_START


def _ids(given: list[str]) -> list[str]:
    return [each for text in given for each in text.split(",") if each.strip()]


def _harness(spec: str | None) -> type[Harness]:
    """Import a harness; the current folder is searched too."""
    if spec is None:
        raise _Unusable("which harness? Name one, such as my_package.harness:MyRedis")
    parts = re.fullmatch(r"([\w.]+):([\w.]+)", spec)
    if parts is None:
        raise _Unusable(f"{spec!r} is not MODULE:CLASS, such as my_package.harness:MyRedis")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    try:
        found: object = import_module(parts[1])
        for part in parts[2].split("."):
            found = getattr(found, part)
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError | AttributeError)
        reason = f"{type(error).__name__}: {error}" if missing else traceback.format_exc().rstrip()
        raise _Unusable(f"{spec} cannot be imported: {reason}") from error
    if not (isinstance(found, type) and issubclass(found, Harness)):
        raise _Unusable(f"{spec} is not a subclass of authx_contract.Harness")
    return found


def _verified(given: argparse.Namespace, harness: type[Harness], only: list[str]) -> Exit:
    try:
        from authx_contract.views.cli.screen import Screen  # noqa: PLC0415 - it needs rich, which the rest does not
    except ImportError as error:
        raise _Unusable("rich is not installed: pip install 'authx-users[contract]'") from error
    opened = ports(harness)
    if opened and (closed := [each.id for each in find(only) if each.port not in opened]):
        raise _Unusable(f"the harness does not open the port of {', '.join(closed)}")
    total = len(select(harness, level=given.level, only=only))
    with Screen(total) as screen:
        report = verify(harness, level=given.level, only=only, seed=given.seed, progress=screen.ran)
    screen.show(report)
    for path, write in ((given.json, to_json), (given.markdown, to_markdown)):
        if path is not None:
            _write(path, write(report))
    if given.badge is not None and report.verdict.conforms:
        _write(given.badge, to_badge(report))
    elif given.badge is not None:
        sys.stderr.write(f"no badge: {report.headline}\n")
        _remove_badge(given.badge)
    return report.exit


def _remove_badge(path: Path | None) -> None:
    """Remove the badge of an earlier run, which no longer holds."""
    if path is not None and is_badge(path):
        path.unlink()
        sys.stderr.write(f"removed {path}, the badge of an earlier run\n")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _Unusable(f"{path} cannot be written: {error.strerror}") from error
