"""The kill matrix: every specimen against every clause of its ports."""

from __future__ import annotations

import logging
import signal
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Final

import attrs

from authx_contract import Clause, Status, all_clauses, run_clause
from zoo.machinery.registry import Specimen, zoo

NETS: Final = frozenset({"U-090", "U-091", "C-090", "C-091"})
"""Models and linearizability cost more than other clauses: they run on mutants that no other clause kills, on mutants
that name them, and on every correct adapter."""
TIMEOUT: Final = 300
"""Seconds after which a clause counts as hung, generous enough for a busy machine."""

_QUIET: Final = logging.NullHandler()


class Hung(BaseException):
    """Raised in a clause that did not end in time; such a clause kills nothing."""


@attrs.frozen
class Row:
    """The result of one specimen: the clauses that failed with their explanations, ran or hung, and their seconds."""

    name: str
    killers: dict[str, str] = attrs.field(factory=dict[str, str])
    ran: list[str] = attrs.field(factory=list[str])
    hung: list[str] = attrs.field(factory=list[str])
    seconds: dict[str, float] = attrs.field(factory=dict[str, float])


@attrs.frozen
class Matrix:
    """The results of all specimens."""

    specimens: Mapping[str, Specimen]
    rows: Mapping[str, Row]

    @property
    def mutants(self) -> list[Specimen]:
        """Return the mutants."""
        return [each for each in self.specimens.values() if each.killer is not None]

    def clauses(self) -> list[str]:
        """Return the ids of all clauses of the specimens' ports."""
        prefixes = {each for specimen in self.specimens.values() for each in specimen.prefix}
        return [clause.id for clause in all_clauses() if clause.id[0] in prefixes]

    def killed_by(self, id_: str) -> list[str]:
        """Return the mutants that a clause kills."""
        return [each.name for each in self.mutants if id_ in self.rows[each.name].killers]

    def only_by(self, id_: str) -> list[str]:
        """Return the mutants that only this clause kills."""
        return [name for name in self.killed_by(id_) if set(self.rows[name].killers) == {id_}]

    def faults(self) -> Iterator[str]:
        """Report the faults of the suite or the zoo."""
        for each in self.specimens.values():
            row = self.rows[each.name]
            if each.killer is None:
                for id_, observed in row.killers.items():
                    yield f"{each.name} is correct, and {id_} accuses it: {observed}"
            elif not row.killers:
                yield f"{each.name} lives: {each.sentence}"
            elif each.killer not in row.killers:
                yield f"{each.name} must die to {each.killer}, and dies to {', '.join(sorted(row.killers))}"
            for id_ in row.hung:
                yield f"{id_} does not end on {each.name}"


def clauses_of(specimen: Specimen) -> list[Clause]:
    """Return the clauses of a specimen's ports."""
    return [each for each in all_clauses() if each.id[0] in specimen.prefix]


def examine(name: str, only: Collection[str] = ()) -> Row:
    """Run clauses over one specimen."""
    specimen = zoo()[name]
    row = Row(name)
    logging.getLogger().addHandler(_QUIET)
    for clause in sorted(clauses_of(specimen), key=lambda clause: clause.id in NETS):
        if only and clause.id not in only:
            continue
        if clause.id not in NETS or specimen.killer in {None, clause.id} or not row.killers:
            _run(specimen, clause, row)
    return row


def _run(specimen: Specimen, clause: Clause, row: Row) -> None:
    try:
        with _at_most(TIMEOUT):
            outcome = run_clause(specimen.harness, clause, namespace=f"zoo-{specimen.name}")
    except Hung:
        row.hung.append(clause.id)
        return
    row.seconds[clause.id] = outcome.seconds
    if outcome.status.ran:
        row.ran.append(clause.id)
    if outcome.status is Status.FAILED:
        row.killers[clause.id] = outcome.observed


@contextmanager
def examined(
    names: Iterable[str], *, only_killers: bool = False, workers: int = 2
) -> Generator[dict[str, Future[Row]], None, None]:
    """Examine specimens in worker processes, slow ones first, by all clauses or only by those that must kill them."""
    killers = {each.name: {str(each.killer)} if only_killers else set[str]() for each in zoo().values()}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield {name: pool.submit(examine, name, killers[name]) for name in sorted(names, key=_slowness)}


def _slowness(name: str) -> bool:
    """Sort specimens that wait for an outage or a purge to the front, so that no worker has one left at the end."""
    return zoo()[name].killer not in {"U-084", "C-053", "C-054"}


@contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
