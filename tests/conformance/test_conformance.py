"""The conformance page agrees with its data, which know every adapter."""

from __future__ import annotations

from conformance.adapters import adapters
from conformance.page import PAGE, page
from conformance.runs import load


def test_the_page_and_its_data_agree() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(adapters(), load()), (
        "the page differs from its data: write it anew with `nox -s conformance -- --page`"
    )


def test_the_tests_verify_every_adapter_on_the_page() -> None:
    assert set(load()) <= set(adapters())
    assert len(adapters()) >= 20


def test_every_adapter_on_the_page_conforms() -> None:
    assert {run.adapter: run.verdict for run in load().values() if not run.verdict.startswith("CONFORMS")} == {}
