"""A dishonest harness is detected before any clause runs."""

from __future__ import annotations

import pytest

from authx_contract import Harness, Verdict, contract_tests, verify
from authx_contract.verdict.harness_checks import check_harness
from authx_contract.verdict.report import Exit
from unit.contract import harnesses


@pytest.mark.parametrize(
    ("harness", "message"),
    [
        (harnesses.ResetDoesNothing, "left a user"),
        (harnesses.ResetKeepsTheFile, "left a user"),
        (harnesses.OneSharedHandle, "the same object every time"),
        (harnesses.UnrelatedHandles, "reach different data"),
        (harnesses.RewindDoesNothing, "less far back"),
        (harnesses.RewindDeletes, "further back"),
        (harnesses.ResetsOthers, "emptied another namespace"),
    ],
)
def test_a_dishonest_harness_is_exit_4_and_runs_no_clause(harness: type[Harness], message: str) -> None:
    report = verify(harness, level=1)
    assert message in report.trouble
    assert (report.verdict, report.exit) == (Verdict.DISHONEST, Exit.DISHONEST)
    assert not report.outcomes


@pytest.mark.parametrize("harness", [harnesses.Honest, harnesses.Rewinds, harnesses.SparesOthers])
def test_an_honest_harness_passes(harness: type[Harness]) -> None:
    notes = check_harness(harness)
    assert bool(notes) is not harness.capabilities.namespaced


@pytest.mark.parametrize(
    ("harness", "message"),
    [
        (harnesses.Nothing, "opens no port"),
        (harnesses.OpeningFails, "`open_clock` raised ConnectionRefusedError"),
        (harnesses.ResetFails, "`reset` of the harness raised ConnectionRefusedError"),
        (harnesses.WrongCapabilities, "`capabilities` must be a `Capabilities(…)`"),
        (harnesses.WrongWaivers, "`waivers` must be a sequence of `Waiver(id, reason, until)`"),
        (harnesses.NeedsArguments, "`NeedsArguments()` raised TypeError"),
        (harnesses.OpensHalf, "opened MemoryUserStore as a Cache: it has no `get_many`, `set`"),
    ],
)
def test_an_unusable_harness_is_exit_3(harness: type[Harness], message: str) -> None:
    report = verify(harness, level=1)
    assert message in report.trouble
    assert (report.verdict, report.exit) == (Verdict.COULD_NOT_START, Exit.COULD_NOT_START)


def test_pytest_refuses_a_harness_that_opens_nothing_to_test() -> None:
    with pytest.raises(LookupError, match="nothing opens no port of these clauses"):
        contract_tests(harnesses.Nothing)
    with pytest.raises(LookupError, match="opens no port"):
        contract_tests(harnesses.OpeningFails, only=["C-001"])
