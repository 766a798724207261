"""The clauses as tests of pytest: one item each, ``my-redis::C-021``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from _pytest._code.code import ExceptionInfo, TerminalRepr

from authx_contract.clause import Clause
from authx_contract.declared import ContractTests
from authx_contract.outcome import Outcome, Status
from authx_contract.running import run_clause
from authx_contract.waiving import judged, release

N = TypeVar("N", bound=pytest.Item | pytest.Collector)


class AdapterTests(pytest.Collector):
    """The tests of one adapter."""

    def __init__(self, *, tests: ContractTests, **options: Any) -> None:
        super().__init__(**options)
        self.tests = tests

    def collect(self) -> Iterator[pytest.Item]:
        """Begin with the harness."""
        yield _made(HarnessItem, self, name="harness", tests=self.tests)
        for clause in self.tests.clauses:
            yield _made(ClauseItem, self, name=clause.id, tests=self.tests, clause=clause)


class ContractFailure(Exception):
    """What pytest shows as it is: the explanation, not a traceback through the suite."""


class _Item(pytest.Item):
    def __init__(self, *, tests: ContractTests, **options: Any) -> None:
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType] - untyped in pytest
        self.tests = tests

    def repr_failure(self, excinfo: ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:
        """Show the explanation."""
        if isinstance(excinfo.value, ContractFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


class HarnessItem(_Item):
    """The harness does what it says."""

    def runtest(self) -> None:
        """Check it."""
        if self.tests.trouble:
            raise ContractFailure(self.tests.trouble)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where it stands."""
        return self.path, None, f"{self.tests.name}::harness"


class ClauseItem(_Item):
    """A clause holds."""

    def __init__(self, *, clause: Clause, **options: Any) -> None:
        super().__init__(**options)
        self.clause = clause

    def runtest(self) -> None:
        """Run it, unless the harness is good for nothing."""
        if self.tests.trouble:
            raise ContractFailure(self.tests.trouble)
        outcome = run_clause(self.tests.harness, self.clause, seed=self.tests.seed, namespace=self.tests.namespace)
        today = datetime.now(timezone.utc).date()
        _conclude(judged(outcome, self.tests.harness.waivers, today=today, of=release()))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where it stands, and its sentence."""
        return self.path, None, f"{self.tests.name}::{self.clause.id} {self.clause.sentence}"


def _conclude(outcome: Outcome) -> None:
    match outcome.status:
        case Status.PASSED:
            return
        case Status.SKIPPED | Status.INAPPLICABLE:
            pytest.skip(f"{outcome.status.value}: {outcome.reason}")
        case Status.WAIVED | Status.PENDING:
            pytest.xfail(f"{outcome.status.value}: {outcome.reason}")
        case _:
            raise ContractFailure(outcome.details) from outcome.error  # pytest's heading says which clause


def adapter_tests(parent: pytest.Collector, tests: ContractTests) -> pytest.Collector:
    """Collect the tests of an adapter."""
    return _made(AdapterTests, parent, name=tests.name, tests=tests)


def _made(kind: Callable[..., N], parent: pytest.Collector, **options: object) -> N:
    """Make a node the way pytest wants it; what it takes is not typed there."""
    node: N = cast("Any", kind).from_parent(parent, **options)
    return node
