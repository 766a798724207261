"""What looks at what, and one piece of work: a clause over an adapter, several times."""

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
"""The project's own adapters that take part, beside the correct ones of the zoo."""
KINDS: Final[Mapping[str, servers.Kind]] = {
    "postgresql": "postgres",
    "mariadb": "mariadb",
    "mongodb": "mongodb",
    "redis": "redis",
}
"""The servers that mutants run on, and what the harness of the tests calls them."""


@attrs.frozen
class Pair:
    """A clause, and what it looks at: a mutant that names it, or a correct adapter."""

    clause: str
    subject: str
    guilty: bool


@attrs.define
class Tally:
    """What became of the runs of a pair."""

    runs: int = 0
    failed: int = 0
    seconds: float = 0.0
    told: str = ""
    """What was observed when it last failed, and the seed of what is random."""

    def add(self, other: Tally) -> None:
        """Add runs."""
        self.runs += other.runs
        self.failed += other.failed
        self.seconds += other.seconds
        self.told = other.told or self.told

    @property
    def each(self) -> float:
        """Return the seconds of a run."""
        return self.seconds / max(self.runs, 1)


Tallies = dict[Pair, Tally]


def by_chance(clause: Clause) -> bool:
    """Whether a clause may miss what is wrong: a sequence of calls finds it each time."""
    return clause.kind != "sequence"


def pairs(clause: Clause) -> Iterator[Pair]:
    """Return what a clause is to look at."""
    for name, each in zoo().items():
        guilty = each.killer is not None
        if (each.killer == clause.id and by_chance(clause)) or (not guilty and _looks_at(clause, each.harness)):
            yield Pair(clause.id, name, guilty)
    for name in OURS:
        if _looks_at(clause, adapters()[name]):
            yield Pair(clause.id, name, guilty=False)


def _looks_at(clause: Clause, harness: type[Harness]) -> bool:
    return clause.port in ports(harness) and obstacle(clause, harness) is None


def tried(pair: Pair, number: int) -> Tally:
    """Run a clause over an adapter several times, in a process that may do so with others at the same time."""
    tally = Tally()
    (clause,) = find([pair.clause])
    for _ in range(number):
        seed = secrets.randbelow(2**32)
        outcome = run_clause(_harness(pair.subject), clause, seed=seed, namespace=_namespace())
        told = f"with the seed {seed}: {outcome.observed}" if outcome.status is Status.FAILED else ""
        tally.add(Tally(int(outcome.status.ran), int(outcome.status is Status.FAILED), outcome.seconds, told))
    return tally


@cache
def _namespace() -> str:
    logging.getLogger().addHandler(logging.NullHandler())  # mutants fail loudly
    return new_namespace()


def _harness(name: str) -> type[Harness]:
    return adapters()[name] if name in OURS else zoo()[name].harness
