"""The last run of each adapter, and the file that keeps them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Final

import attrs
import cattrs

from authx_contract import Report
from conformance.versions import Versions

DATA: Final = Path(__file__).parents[2] / "docs" / "conformance.json"

_converter: Final = cattrs.Converter()
_converter.register_unstructure_hook(date, date.isoformat)
_converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))


@attrs.frozen(kw_only=True)
class Run:
    """The result of one run on one adapter, with the versions that it ran on."""

    adapter: str
    engine: str
    driver: str
    python: str
    authx_users: str
    verdict: str
    """The verdict, with its level if the adapter conforms."""
    level: int
    date: date
    seconds: float
    seed: int
    clauses: Mapping[str, str]
    """The status of each by its id."""


def run_of(report: Report, on: Versions) -> Run:
    """Return the part of a report that the page shows."""
    return Run(
        adapter=report.name, engine=on.engine, driver=on.driver, python=python_version(),
        authx_users=version("authx-users"), verdict=report.headline, level=report.level,
        date=datetime.now(timezone.utc).date(), seconds=round(report.seconds, 1), seed=report.seed,
        clauses={each.clause.id: each.status.value for each in report.outcomes},
    )  # fmt: skip


def load(path: Path = DATA) -> dict[str, Run]:
    """Return the last run of each adapter by its name."""
    if not path.exists():
        return {}
    runs = _converter.structure(json.loads(path.read_text(encoding="utf-8")), list[Run])
    return {run.adapter: run for run in runs}


def save(runs: Iterable[Run], path: Path = DATA) -> None:
    """Write the runs in the given order."""
    text = json.dumps(_converter.unstructure(list(runs)), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
