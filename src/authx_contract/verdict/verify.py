"""The whole suite on one adapter."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone

from authx_contract.clause import Clause
from authx_contract.harness import Harness, ports, title
from authx_contract.registry import all_clauses, find
from authx_contract.terms import Level
from authx_contract.verdict.harness_checks import CannotStart, Dishonest, check_harness
from authx_contract.verdict.outcome import Outcome
from authx_contract.verdict.report import Report
from authx_contract.verdict.run import run_clause
from authx_contract.verdict.waivers import faults, judged, release


def select(harness: type[Harness], *, level: Level, only: Iterable[str] = ()) -> tuple[Clause, ...]:
    """Return the clauses up to a level, or those in ``only`` of any level, for the ports that a harness opens.

    Raises `LookupError` for an unknown id.
    """
    wanted = find(only) or tuple(each for each in all_clauses() if each.level <= level)
    return tuple(each for each in wanted if each.port in ports(harness))


def verify(
    harness: type[Harness],
    *,
    level: Level = 2,
    only: Sequence[str] = (),
    seed: int | None = None,
    namespace: str = "",
    check: bool = True,
    progress: Callable[[Outcome], object] = lambda _: None,
) -> Report:
    """Check the harness, run the clauses and return the report; ``check=False`` skips the check of the harness.

    ``seed`` repeats the random choices of an earlier run; ``progress`` is called after each clause. Raises
    `LookupError` for an unknown id in ``only``.
    """
    start = time.monotonic()
    seed = secrets.randbelow(2**32) if seed is None else seed
    namespace = namespace or new_namespace()
    clauses = select(harness, level=level, only=only)
    report = Report(name=title(harness), level=level, partial=bool(only), seed=seed, version=release())
    trouble, notes, dishonest = _trouble(harness), list[str](), False
    if check and not trouble:
        try:
            notes = check_harness(harness, namespace=namespace)
        except (CannotStart, Dishonest) as error:
            trouble, dishonest = str(error), isinstance(error, Dishonest)
    outcomes = list[Outcome]()
    for clause in () if trouble else clauses:
        outcome = run_clause(harness, clause, seed=seed, namespace=namespace)
        outcome = judged(outcome, harness.waivers, today=datetime.now(timezone.utc).date(), of=report.version)
        outcomes.append(outcome)
        progress(outcome)
    return Report(
        name=report.name, level=level, outcomes=outcomes, partial=report.partial, trouble=trouble,
        dishonest=dishonest, notes=notes, seed=seed, version=report.version, seconds=time.monotonic() - start,
    )  # fmt: skip


def new_namespace() -> str:
    """Make a namespace that is unique to this run."""
    return f"authx-contract-{secrets.token_hex(4)}"


def _trouble(harness: type[Harness]) -> str:
    wrong = faults(harness)
    if not ports(harness):
        wrong.append("the harness opens no port: override `open_users`, `open_cache`, `open_clock` or `open_hasher`")
    return "; ".join(wrong)
