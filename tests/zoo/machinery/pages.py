"""The kill matrix as a page, and the rule that each clause kills a mutant alone or has a reason to stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zoo.machinery.matrix import NETS, Matrix
from zoo.machinery.reasons import REASONS

_ABOUT: Final = (
    "Each clause of the [contract](contract.md) is proved by mutants: adapters with one fault each, which name "
    "beforehand the clause that must kill them. `nox -s mutants` runs every mutant against every clause of its port, "
    "and wrote this page."
)
_STAY: Final = (
    "Mutants in memory are alike if they name the same clause, have the same kind of fault, and race in the same way, "
    "as tasks or on threads. Of those, every mutant that only one clause kills stays; if there is none, the one that "
    "the fewest clauses kill."
)
_NETS: Final = (
    f"Models and linearizability ({', '.join(sorted(NETS))}) run on mutants that no other clause kills, on mutants "
    "that name them, and on every correct adapter."
)


def unexplained(found: Matrix) -> Iterator[str]:
    """Report clauses that kill nothing alone and have no reason to stay, and reasons that are no longer needed."""
    for id_ in found.clauses():
        alone = found.only_by(id_)
        if not alone and id_ not in REASONS:
            yield f"{id_} kills no mutant alone: write one that only it kills, or say in `reasons` why it stays"
        if alone and id_ in REASONS:
            yield f"{id_} kills {alone[0]} alone: delete its reason from `reasons`"


def markdown(found: Matrix) -> str:
    """Return the page."""
    mutants, correct = found.mutants, [each for each in found.specimens.values() if each.killer is None]
    lines = [
        "# What the contract finds",
        "",
        _ABOUT,
        "",
        f"{len(mutants)} mutants, none of which lives; {len(correct)} correct adapters, none of which is accused.",
        "",
        _NETS,
        "",
        _STAY,
        "",
        "## Clauses",
        "",
        "| clause | kills | alone | why it stays if it kills nothing alone |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {id_} | {len(found.killed_by(id_))} | {len(found.only_by(id_))} | {REASONS.get(id_, '')} |"
        for id_ in found.clauses()
    ]
    lines += ["", "## Mutants", "", "| mutant | fault | must die to | dies to |", "|---|---|---|---|"]
    lines += [
        f"| {each.name} | {_cell(each.sentence)} | {each.killer} | {', '.join(sorted(found.rows[each.name].killers))} |"
        for each in mutants
    ]
    lines += ["", "## Correct adapters", "", "| adapter | how it is written |", "|---|---|"]
    lines += [f"| {each.name} | {_cell(each.sentence)} |" for each in correct]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
