"""The pairs of a clause and an adapter to measure, and how one pair is run."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

import attrs

import servers
from authx_contract import Clause, Harness, Status, run_clause
from authx_contract.harness import ports
from authx_contract.registry import find
from authx_contract.verdict.needs import obstacle
from authx_contract.verdict.verify import new_namespace
from conformance.adapters import adapters
from zoo.machinery.registry import zoo

OURS: Final = (
    "memory", "memory-blocking", "sqlite-blocking", "sqlite-async", "postgresql-psycopg", "redis", "redis-async",
    "passlib", "passlib-threaded",
)  # fmt: skip
"""The project's adapters to measure, besides the correct ones of the zoo."""
KINDS: Final[Mapping[str, servers.Kind]] = {
    "postgresql": "postgres",
    "mariadb": "mariadb",
    "mongodb": "mongodb",
    "redis": "redis",
}
"""The servers that mutants run on, and their names in the tests' harness."""


@attrs.frozen
class Pair:
    """A clause and an adapter that it runs over: a mutant that names it (`guilty`), or a correct adapter."""

    clause: str
    subject: str
    guilty: bool


@attrs.define
class Tally:
    """The outcomes of the runs of a pair."""

    runs: int = 0
    failed: int = 0
    seconds: float = 0.0
    observed: str = ""
    """The observation of the last failure, with its random seed."""

    def add(self, other: Tally) -> None:
        """Add the runs of another tally."""
        self.runs += other.runs
        self.failed += other.failed
        self.seconds += other.seconds
        self.observed = other.observed or self.observed

    @property
    def each(self) -> float:
        """Return the mean duration of a run in seconds."""
        return self.seconds / max(self.runs, 1)


Tallies = dict[Pair, Tally]


def by_chance(clause: Clause) -> bool:
    """Return whether a clause may miss a fault; a sequence clause finds its faults every time."""
    return clause.kind != "sequence"


def pairs(clause: Clause) -> Iterator[Pair]:
    """Yield the adapters to run a clause over."""
    for name, each in zoo().items():
        guilty = each.killer is not None
        if (each.killer == clause.id and by_chance(clause)) or (not guilty and _applies(clause, each.harness)):
            yield Pair(clause.id, name, guilty)
    for name in OURS:
        if _applies(clause, adapters()[name]):
            yield Pair(clause.id, name, guilty=False)


def _applies(clause: Clause, harness: type[Harness]) -> bool:
    return clause.port in ports(harness) and obstacle(clause, harness) is None


def run_pair(pair: Pair, number: int) -> Tally:
    """Run a clause over an adapter several times, in a worker process."""
    tally = Tally()
    (clause,) = find([pair.clause])
    for _ in range(number):
        seed = secrets.randbelow(2**32)
        outcome = run_clause(_harness(pair.subject), clause, seed=seed, namespace=_namespace())
        observed = f"with the seed {seed}: {outcome.observed}" if outcome.status is Status.FAILED else ""
        tally.add(Tally(int(outcome.status.ran), int(outcome.status is Status.FAILED), outcome.seconds, observed))
    return tally


@cache
def _namespace() -> str:
    logging.getLogger().addHandler(logging.NullHandler())  # drops the many errors that mutants log
    return new_namespace()


def _harness(name: str) -> type[Harness]:
    return adapters()[name] if name in OURS else zoo()[name].harness
