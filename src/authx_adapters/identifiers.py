"""List the users whose keys would change, collide or be refused by the present rules.

Run ``python -m authx_adapters.identifiers URL`` before you upgrade the rules, Python, or a package that they depend
on. Exit status: 0 no key changes, 1 some would change, 2 some collide, are refused or were not written, 3 the users
could not be read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NoReturn, cast

import attrs

from authx_adapters.connecting import connect
from authx_core import AuthxError
from authx_core.use_cases.rekeying import Finding, examine, rekey

if TYPE_CHECKING:
    from io import TextIOWrapper

_STAND, _CHANGE, _TROUBLE, _UNREADABLE = range(4)
_SENTENCES: Final = {
    "changes": "would change",
    "collides": "would also be the key of {others}",
    "refused": "would be refused: it {reason}",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(_UNREADABLE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings and return the exit status."""
    parser = _Parser(
        prog="python -m authx_adapters.identifiers",
        description="List the users whose names have another key, or none, by the present rules. Nothing is written.",
        epilog="Exit: 0 no key changes, 1 some would change, 2 some collide, are refused or were left, 3 not read.",
    )
    parser.add_argument("url", help="where the users are, as in connect(): postgresql://user@host/db")
    parser.add_argument("--json", action="store_true", help="print one object a line")
    parser.add_argument("--apply", action="store_true", help="store the new keys that do not collide")
    given = parser.parse_args(arguments)
    try:
        found, left = asyncio.run(_run(given.url, apply=given.apply))
    except AuthxError as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return _UNREADABLE
    for finding in found:
        sys.stdout.write(f"{_as_json(finding) if given.json else _as_text(finding)}\n")
    if not given.json:
        sys.stdout.write(_summary(found, left, applied=given.apply))
    if any(each.verdict != "changes" for each in left) or (given.apply and left):
        return _TROUBLE
    return _CHANGE if left else _STAND


async def _run(url: str, *, apply: bool) -> tuple[list[Finding], list[Finding]]:
    async with connect(url) as users:
        found = await examine(users.database)
        return found, await rekey(found, users=users.database) if apply else found


def _as_json(finding: Finding) -> str:
    return json.dumps(attrs.asdict(finding))


def _as_text(finding: Finding) -> str:
    sentence = _SENTENCES[finding.verdict].format(others=", ".join(finding.others), reason=finding.reason)
    return f"{finding.user_id}: the {finding.field} {finding.shown!r} {sentence}"


def _summary(found: Sequence[Finding], left: Sequence[Finding], *, applied: bool) -> str:
    if not found:
        return "All keys stand.\n"
    counts = {verdict: sum(each.verdict == verdict for each in found) for verdict in _SENTENCES}
    told = "{changes} would change, {collides} would collide, {refused} would be refused.".format(**counts)
    return f"{told} {len(found) - len(left)} written, {len(left)} left.\n" if applied else f"{told} Nothing written.\n"


if __name__ == "__main__":
    cast("TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")  # a terminal may lack some letters
    sys.exit(main())
