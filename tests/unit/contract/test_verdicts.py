"""The verdict that follows from the outcomes of the clauses."""

from __future__ import annotations

from datetime import date, timedelta

import attrs
import pytest

from authx_contract import Clause, Outcome, Report, Status, Verdict, Waiver, all_clauses, verify
from authx_contract.verdict.waivers import faults, is_pending, judged
from authx_contract.views.formats import to_badge
from unit.contract import harnesses

CLAUSE = all_clauses()[0]
TODAY = date(2026, 5, 1)
CONFORMING = {Verdict.CONFORMS, Verdict.CONFORMS_WITH_WAIVERS}


def reported(*statuses: Status, partial: bool = False) -> Report:
    outcomes = [Outcome(clause=CLAUSE, status=status) for status in statuses]
    return Report(name="x", level=1, outcomes=outcomes, partial=partial)


@pytest.mark.parametrize(
    ("report", "verdict", "code"),
    [
        (reported(Status.PASSED), Verdict.CONFORMS, 0),
        (reported(Status.PASSED, Status.INAPPLICABLE), Verdict.CONFORMS, 0),
        (reported(Status.PASSED, Status.PENDING), Verdict.CONFORMS, 0),
        (reported(Status.PASSED, Status.WAIVED), Verdict.CONFORMS_WITH_WAIVERS, 0),
        (reported(Status.PASSED, Status.SKIPPED), Verdict.INCOMPLETE, 2),
        (reported(Status.PASSED, Status.SKIPPED, Status.WAIVED), Verdict.INCOMPLETE, 2),
        (reported(Status.PASSED, partial=True), Verdict.INCOMPLETE, 2),
        (reported(Status.PASSED, Status.SKIPPED, Status.FAILED), Verdict.FAILED, 1),
        (reported(Status.PASSED, Status.PASSED_THOUGH_WAIVED), Verdict.FAILED, 1),
        (reported(Status.PASSED, Status.WAIVER_ENDED), Verdict.FAILED, 1),
        (reported(Status.SKIPPED, Status.SKIPPED), Verdict.NOT_RUN, 2),
        (reported(Status.INAPPLICABLE), Verdict.NOT_RUN, 2),
        (reported(), Verdict.NOT_RUN, 2),
    ],
)
def test_the_worst_outcome_decides_and_only_conformity_has_a_badge(report: Report, verdict: Verdict, code: int) -> None:
    assert (report.verdict, report.exit) == (verdict, code)
    if verdict in CONFORMING:
        assert "level 1" in to_badge(report)
    else:
        with pytest.raises(ValueError, match="no badge"):
            to_badge(report)


def judge(status: Status, *waivers: Waiver, clause: Clause = CLAUSE, of: str = "0.1.0") -> Status:
    return judged(Outcome(clause=clause, status=status), waivers, today=TODAY, of=of).status


def test_a_waiver_is_valid_through_its_last_day() -> None:
    assert judge(Status.FAILED, Waiver(CLAUSE.id, "known", TODAY)) is Status.WAIVED
    assert judge(Status.FAILED, Waiver(CLAUSE.id, "known", TODAY - timedelta(days=1))) is Status.WAIVER_ENDED
    assert judge(Status.FAILED, Waiver("C-001", "another's", TODAY)) is Status.FAILED


def test_a_waived_clause_that_passes_is_an_error_and_one_that_did_not_run_stays_skipped() -> None:
    waiver = Waiver(CLAUSE.id, "known", TODAY)
    assert judge(Status.PASSED, waiver) is Status.PASSED_THOUGH_WAIVED
    assert judge(Status.SKIPPED, waiver) is Status.SKIPPED


def test_a_clause_is_pending_in_the_minor_release_that_adds_it() -> None:
    new = attrs.evolve(CLAUSE, since="0.2")
    assert judge(Status.FAILED, clause=new, of="0.2.7") is Status.PENDING
    assert judge(Status.PASSED, clause=new, of="0.2.7") is Status.PASSED
    assert judge(Status.FAILED, clause=new, of="0.3.0") is Status.FAILED
    assert not is_pending(CLAUSE, "0.1.0")
    assert not is_pending(attrs.evolve(CLAUSE, since="1.0"), "1.0.3")


def test_all_wrong_waivers_are_reported_at_once() -> None:
    class Waived(harnesses.Honest):
        waivers = (Waiver("X-1", "why", TODAY), Waiver("C-001", "", TODAY), Waiver("C-001", "why", TODAY))

    assert faults(Waived) == [
        "the waiver of X-1 names no clause",
        "C-001 is waived twice",
        "the waiver of C-001 gives no reason",
    ]


def test_the_suite_does_not_start_with_a_wrong_waiver() -> None:
    class Wrong(harnesses.Honest):
        waivers = (Waiver("X-1", "why", TODAY),)

    assert verify(Wrong, level=1).verdict is Verdict.COULD_NOT_START


def test_the_verdict_is_not_run_if_no_clause_can_run() -> None:
    report = verify(harnesses.Server, only=["C-010", "C-011"], check=False)
    assert report.verdict is Verdict.NOT_RUN
    assert {each.status for each in report.outcomes} == {Status.SKIPPED}


def test_the_memory_adapters_conform_at_level_1_within_five_seconds() -> None:
    report = verify(harnesses.Honest, level=1)
    fine = (Status.PASSED, Status.INAPPLICABLE)
    assert [str(each) for each in report.outcomes if each.status not in fine] == []
    assert report.headline == "CONFORMS (level 1)"
    assert report.seconds < 5
