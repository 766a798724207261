"""Every clause is fully described, and the page that lists them is up to date."""

from __future__ import annotations

from pathlib import Path
from types import CodeType

import pytest

from authx_contract import Clause, all_clauses
from authx_contract.clause import clause
from authx_contract.registry import find
from authx_contract.views.formats import clause_page

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("each", all_clauses(), ids=lambda each: each.id)
def test_a_clause_has_a_sentence_a_meaning_and_a_cause(each: Clause) -> None:
    for text in (each.sentence, each.means, each.cause):
        assert text.endswith(".")
        assert len(text) > 15
    assert each.kind == "sequence" or each.level > 1


@pytest.mark.parametrize("each", all_clauses(), ids=lambda each: each.id)
def test_a_clause_that_lets_time_pass_declares_that_it_needs_time(each: Clause) -> None:
    code = getattr(each.body, "__code__")  # noqa: B009 - its type is a protocol without `__code__`
    nested = [const for const in code.co_consts if isinstance(const, CodeType)]
    names = {name for each_code in (code, *nested) for name in each_code.co_names}
    assert ("time" in each.needs) is bool(names & {"elapse", "gone_exactly_after"})


def test_an_id_is_registered_once() -> None:
    with pytest.raises(ValueError, match="U-001"):
        clause("U-001", means="", cause="")(all_clauses()[0].body)


def test_clauses_are_found_by_id_and_unknown_ids_are_named() -> None:
    assert [each.id for each in find(["c-021", "U-001", "C-021"])] == ["C-021", "U-001"]
    with pytest.raises(LookupError, match="X-1, Y-2"):
        find(["X-1", "C-021", "Y-2"])


def test_the_page_of_the_documentation_is_up_to_date() -> None:
    page = ROOT / "docs" / "contract-clauses.md"
    assert page.read_text(encoding="utf-8") == clause_page(all_clauses()), "run: nox -s clauses"
