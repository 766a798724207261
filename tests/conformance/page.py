"""The matrix of adapters and clauses as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from authx_contract import Clause, Harness, Status, all_clauses
from authx_contract.harness import ports
from conformance.runs import DATA, Run

PAGE: Final = DATA.with_suffix(".md")
_PORTS: Final = {"users": "UserStore", "cache": "Cache", "clock": "Clock", "hasher": "PasswordHasher"}
_NOT_ASKED: Final = "·"
_MARKS: Final = {
    Status.PASSED: "✓",
    Status.INAPPLICABLE: "–",
    Status.SKIPPED: "?",
    Status.WAIVED: "w",
    Status.PENDING: "p",
}
_FAILED: Final = "✗"
_ABOUT: Final = f"""\
# Conformance

What the [contract](contract.md) says of the project's own adapters, with the last run of each. `nox -s conformance`
makes it anew: on private servers, which level 3 takes down; `-- --only redis` runs those with `redis` in their name,
and leaves the others as they are; `-- --level 2` takes servers that are running. The data are in `docs/{DATA.name}`."""
_LEGEND: Final = (
    f"✓ holds · {_FAILED} does not · – the adapter has no such thing, as it declares · ? could not be run · "
    f"w waived · p new, and binds from the next release · {_NOT_ASKED} not of the level that was run. "
    "Columns are the numbers above; each clause leads to what it means."
)


def write(harnesses: Mapping[str, type[Harness]], runs: Mapping[str, Run], path: Path = PAGE) -> None:
    """Write the page."""
    path.write_text(page(harnesses, runs), encoding="utf-8")


def page(harnesses: Mapping[str, type[Harness]], runs: Mapping[str, Run]) -> str:
    """Return the page: what each adapter ran on and came to, and a matrix for each port."""
    lines = [_ABOUT, "", "## Adapters", "", *_summary(list(harnesses), runs), "", _LEGEND]
    numbered = list(enumerate(harnesses.items(), start=1))
    for port, clauses in groupby(all_clauses(), key=lambda each: each.port):
        columns = [(number, runs.get(name)) for number, (name, harness) in numbered if port in ports(harness)]
        lines += ["", f"## {_PORTS[port]}", "", *_matrix(list(clauses), columns)]
    return "\n".join(lines) + "\n"


def _summary(names: Sequence[str], runs: Mapping[str, Run]) -> Iterator[str]:
    yield "| | adapter | engine | driver | Python | authx-users | verdict | date | seconds |"
    yield "|--:|---|---|---|---|---|---|---|--:|"
    for number, name in enumerate(names, start=1):
        if (run := runs.get(name)) is None:
            yield f"| {number} | `{name}` | | | | | NOT RUN | | |"
        else:
            on = f"{run.engine} | {run.driver} | {run.python} | {run.authx_users}"
            yield f"| {number} | `{name}` | {on} | {run.verdict} | {run.date} | {run.seconds:.1f} |"


def _matrix(clauses: Sequence[Clause], columns: Sequence[tuple[int, Run | None]]) -> Iterator[str]:
    yield f"| clause | {' | '.join(str(number) for number, _ in columns)} | what holds |"
    yield f"|---|{':-:|' * len(columns)}---|"
    for clause in clauses:
        marks = " | ".join(_mark(clause, run) for _, run in columns)
        sentence = clause.sentence.replace("|", "\\|")
        yield f"| [{clause.id}](contract-clauses.md#{clause.id.lower()}) | {marks} | {sentence} |"


def _mark(clause: Clause, run: Run | None) -> str:
    if run is None:
        return "?"
    if clause.id not in run.clauses:
        return _NOT_ASKED if clause.level > run.level else "?"
    return _MARKS.get(Status(run.clauses[clause.id]), _FAILED)
