"""The mutants that the zoo does not need; the rule is in the docstring of `zoo`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from zoo.machinery.matrix import Matrix
from zoo.machinery.registry import Specimen


def superfluous(found: Matrix) -> Iterator[str]:
    """Report the mutants for which another of the same clause and kind of fault stands."""

    def clauses(each: Specimen) -> int:
        return len(found.rows[each.name].killers)

    in_memory = [each for each in found.mutants if not each.group.startswith("servers.")]
    for _, alike in groupby(sorted(in_memory, key=_kind), key=_kind):
        telling, *others = sorted(alike, key=clauses)
        for each in others:
            if clauses(each) > 1:
                yield f"{each.name} can go: {clauses(each)} clauses kill it, and {telling.name} stands for its kind"


def _kind(each: Specimen) -> tuple[str, str, bool]:
    """Return the clause, the file, and whether its callers race on threads."""
    return str(each.killer), each.group, each.harness.capabilities.shared_handle
