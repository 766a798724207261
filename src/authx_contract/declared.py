"""What an author writes in a test module; pytest's plugin collects it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from authx_contract.clause import Clause, Level
from authx_contract.harness import Harness, title
from authx_contract.honesty import CannotStart, Dishonest, check_harness
from authx_contract.needs import obstacle
from authx_contract.verify import new_namespace, select
from authx_contract.waiving import faults


class ContractTests:
    """One test for each clause over one adapter, once pytest has collected it."""

    __test__ = False

    def __init__(self, harness: type[Harness], *, level: Level, only: Sequence[str], seed: int) -> None:
        self.harness = harness
        self.seed = seed
        self.clauses: tuple[Clause, ...] = select(harness, level=level, only=only)
        self.namespace = new_namespace()

    @property
    def name(self) -> str:
        """The adapter's."""
        return title(self.harness)

    @cached_property
    def trouble(self) -> str:
        """Why no clause proves anything over this harness; checked once, by the first test that runs."""
        if wrong := faults(self.harness.waivers):
            return "; ".join(wrong)
        if not any(obstacle(each, self.harness) is None for each in self.clauses):
            return "nothing can be run: every clause would be skipped"
        try:
            check_harness(self.harness, namespace=self.namespace)
        except Dishonest as error:
            return f"the harness is dishonest: {error}"
        except CannotStart as error:
            return f"could not start: {error}"
        return ""


def contract_tests(
    harness: type[Harness], *, level: Level = 2, only: Sequence[str] = (), seed: int = 0
) -> ContractTests:
    """Make the tests of an adapter, to be given a name in a test module.

    Raises `LookupError` for an id in ``only`` that there is not.
    """
    return ContractTests(harness, level=level, only=only, seed=seed)
