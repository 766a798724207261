"""Each mutant of the zoo dies to the clause that it names; `nox -s mutants` runs the whole matrix."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from authx_contract import run_clause
from authx_contract.registry import find
from authx_contract.verdict.harness_checks import check_harness
from zoo.machinery.matrix import Matrix, Row, clauses_of, examined
from zoo.machinery.reasons import REASONS
from zoo.machinery.registry import zoo
from zoo.machinery.thinning import superfluous

ZOO = {name: each for name, each in zoo().items() if each.needs is None}
MUTANTS = [name for name, each in ZOO.items() if each.killer is not None]
CORRECT = [name for name, each in ZOO.items() if each.killer is None]


@pytest.fixture(scope="module")
def rows() -> Iterator[dict[str, Future[Row]]]:
    with examined(MUTANTS, only_killers=True) as futures:
        yield futures


@pytest.mark.parametrize("name", MUTANTS)
def test_the_named_clause_kills(name: str, rows: dict[str, Future[Row]]) -> None:
    assert ZOO[name].killer in rows[name].result().killers, f"{name} must die and lives: {ZOO[name].sentence}"


@pytest.mark.parametrize("name", CORRECT)
def test_the_harness_of_a_correct_adapter_passes_its_checks(name: str) -> None:
    check_harness(ZOO[name].harness)


def test_a_mutant_that_several_clauses_kill_stays_only_if_no_other_stands_for_its_kind() -> None:
    alike = {name: each for name, each in ZOO.items() if each.killer == "U-030" and each.group == "users.updates"}
    others = [*alike][1:]
    killers = {"U-030": "", "U-033": ""}
    rows = {name: Row(name, killers=killers if name in others else {"U-030": ""}) for name in alike}
    assert [line.split()[0] for line in superfluous(Matrix(alike, rows))] == others != []
    assert list(superfluous(Matrix(alike, {name: Row(name, killers={"U-030": ""}) for name in alike}))) == []


def test_the_zoo_is_large_enough() -> None:
    assert len(MUTANTS) >= 120
    assert {each.id for each in find(REASONS)} == set(REASONS)


def test_every_clause_has_a_mutant_or_a_reason() -> None:
    killers = {each.killer for each in zoo().values()} | set(REASONS)
    looked_at = {clause.id for each in ZOO.values() for clause in clauses_of(each)}
    assert looked_at - killers == set()


def test_adapters_as_most_projects_write_them_fail_with_many_different_explanations() -> None:
    for name in ("naive-store", "naive-cache"):
        outcomes = [run_clause(ZOO[name].harness, clause) for clause in clauses_of(ZOO[name]) if clause.level < 3]
        failed = [outcome for outcome in outcomes if outcome.status.bad]
        explained = {
            (outcome.observed.partition("\n")[0], outcome.clause.means, outcome.clause.cause) for outcome in failed
        }
        assert len(explained) >= 10, f"{name} fails with too few explanations: {explained}"
        for part in zip(*explained, strict=True):
            assert len(set(part)) >= 8, f"{name} fails with too many equal explanations: {part}"
