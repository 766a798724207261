"""The page of conformance says what its data say, of every adapter."""

from __future__ import annotations

from conformance.adapters import adapters
from conformance.page import PAGE, page
from conformance.runs import load


def test_the_page_and_its_data_agree() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(adapters(), load()), "nox -s conformance -- --page writes it anew"


def test_every_adapter_on_the_page_is_one_that_the_tests_verify() -> None:
    assert set(load()) <= set(adapters())
    assert len(adapters()) >= 20


def test_nothing_on_the_page_failed() -> None:
    assert {run.adapter: run.verdict for run in load().values() if not run.verdict.startswith("CONFORMS")} == {}
