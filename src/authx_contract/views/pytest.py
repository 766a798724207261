"""The clauses as tests of pytest: ``TestMyRedis::test_clause[C-021]``.

pytest is imported only by `contract_tests`, so the rest of the suite works without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from functools import cache
from typing import Any

from authx_contract.clause import Clause
from authx_contract.harness import Harness, title
from authx_contract.terms import Level
from authx_contract.verdict.harness_checks import CannotStart, Dishonest, check_harness
from authx_contract.verdict.needs import obstacle
from authx_contract.verdict.outcome import Outcome, Status
from authx_contract.verdict.run import run_clause
from authx_contract.verdict.verify import new_namespace, select
from authx_contract.verdict.waivers import faults, judged, release


def contract_tests(harness: type[Harness], *, level: Level = 2, only: Sequence[str] = (), seed: int = 0) -> type[Any]:
    """Make a test class with one test for each clause; give it a name that begins with ``Test``.

    The harness is checked once, before the first clause; if it fails the check, every test says why. Raises
    `LookupError` for an unknown id in ``only``, or if the harness opens no port of the clauses.
    """
    import pytest  # noqa: PLC0415 - see the module's docstring

    clauses = select(harness, level=level, only=only)
    if not clauses:
        raise LookupError(f"{title(harness)} opens no port of these clauses: override `open_users`, `open_cache`, …")
    namespace = new_namespace()

    @cache
    def trouble() -> str:
        return _trouble(harness, clauses, namespace)

    class ContractTests:
        @pytest.mark.parametrize("clause", clauses, ids=lambda clause: clause.id)
        def test_clause(self, clause: Clause) -> None:
            if trouble():
                pytest.fail(trouble(), pytrace=False)
            _conclude(_outcome(harness, clause, seed, namespace))

    return ContractTests


def _trouble(harness: type[Harness], clauses: Sequence[Clause], namespace: str) -> str:
    """Return the reason why this harness proves nothing, or empty text if it is sound."""
    if wrong := faults(harness):
        return "; ".join(wrong)
    if not any(obstacle(each, harness) is None for each in clauses):
        return "nothing can be run: every clause would be skipped"
    try:
        check_harness(harness, namespace=namespace)
    except Dishonest as error:
        return f"the harness is dishonest: {error}"
    except CannotStart as error:
        return f"could not start: {error}"
    return ""


def _outcome(harness: type[Harness], clause: Clause, seed: int, namespace: str) -> Outcome:
    outcome = run_clause(harness, clause, seed=seed, namespace=namespace)
    return judged(outcome, harness.waivers, today=datetime.now(timezone.utc).date(), of=release())


def _conclude(outcome: Outcome) -> None:
    """End a test as its clause ended."""
    import pytest  # noqa: PLC0415 - likewise

    match outcome.status:
        case Status.PASSED:
            return
        case Status.SKIPPED | Status.INAPPLICABLE:
            pytest.skip(f"{outcome.status.value}: {outcome.reason}")
        case Status.WAIVED | Status.PENDING:
            pytest.xfail(f"{outcome.status.value}: {outcome.reason}")
        case _:
            pytest.fail(str(outcome), pytrace=False)
