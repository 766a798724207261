"""The kill matrix as a page, and what it must show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zoo.machinery.matrix import NETS, Matrix
from zoo.machinery.reasons import REASONS

_ABOUT: Final = (
    "Each clause of the [contract](contract.md) is proved by adapters with one wrong thing each, which name beforehand "
    "the clause that must kill them. `nox -s mutants` runs every one against every clause of its port; this page is "
    "what it wrote."
)
_STAY: Final = (
    "Which mutants in memory stay: of those that name one clause, have one kind of fault, and race in one way, as "
    "tasks or on threads, all that no other clause kills; if there are none, the one that the fewest clauses kill."
)
_NETS: Final = (
    f"Models and linearizability ({', '.join(sorted(NETS))}) look at what the other clauses let live, at what is "
    "theirs, and at every correct adapter."
)


def unexplained(found: Matrix) -> Iterator[str]:
    """Say which clauses kill nothing alone without a reason, and which reasons are not needed any more."""
    for id_ in found.clauses():
        alone = found.only_by(id_)
        if not alone and id_ not in REASONS:
            yield f"{id_} kills no mutant that no other clause kills: write one, or say in `reasons` why it stays"
        if alone and id_ in REASONS:
            yield f"{id_} kills {alone[0]} alone: it needs no reason to stay"


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
    lines += ["", "## Mutants", "", "| mutant | what is wrong | must die to | dies to |", "|---|---|---|---|"]
    lines += [
        f"| {each.name} | {_cell(each.sentence)} | {each.killer} | {', '.join(sorted(found.rows[each.name].killers))} |"
        for each in mutants
    ]
    lines += ["", "## Correct adapters", "", "| adapter | how it is written |", "|---|---|"]
    lines += [f"| {each.name} | {_cell(each.sentence)} |" for each in correct]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
