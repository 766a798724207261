"""The needs of clauses beyond a port, against the declarations and hooks of a harness."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

import attrs

from authx_contract.capabilities import Capabilities
from authx_contract.clause import Clause
from authx_contract.harness import Harness, overrides
from authx_contract.terms import Need


@attrs.frozen
class Obstacle:
    """The reason why a clause is not run: the harness lacks a hook, or the clause is inapplicable to the adapter."""

    reason: str
    inapplicable: bool = False


def obstacle(clause: Clause, harness: type[Harness]) -> Obstacle | None:
    """Return the reason why a clause cannot run on a harness, or None."""
    found = [each for need in clause.needs if (each := _obstacle(need, harness)) is not None]
    return min(found, key=lambda each: not each.inapplicable, default=None)


_HOOKS: Final[Mapping[Need, tuple[str, ...]]] = {
    "time": ("rewind",),
    "outage": ("stop_backend", "start_backend"),
    "schema": ("age_schema", "foreign_schema"),
    "stored": ("stored",),
}


def _obstacle(need: Need, harness: type[Harness]) -> Obstacle | None:
    has = harness.capabilities
    if absent := _absent(need, has):
        return Obstacle(absent, inapplicable=True)
    hooks = () if need == "time" and has.clock == "injected" else _HOOKS.get(need, ())
    if missing := [f"`{hook}`" for hook in hooks if not overrides(harness, hook)]:
        so = ", so no lifetime can pass" if need == "time" else ""
        return Obstacle(f"the harness has no {' and '.join(missing)}{so}")
    match need:
        case "processes" if not has.processes:
            return Obstacle("the harness does not declare `processes`")
        case "hypothesis" if find_spec("hypothesis") is None:
            return Obstacle("hypothesis is not installed: the extra `contract` brings it")
        case "outdated hash" if harness.outdated_hash is None:
            return Obstacle("the harness has no `outdated_hash`")
        case "excessive hash" if harness.excessive_hash is None:
            return Obstacle("the harness has no `excessive_hash`")
        case _:
            return None


def _absent(need: Need, has: Capabilities) -> str:
    """Return the declaration that makes a need inapplicable, or empty text."""
    match need:
        case "namespaces" if not has.namespaced:
            return "the harness declares no namespaces"
        case "outage" if has.backend != "server":
            return f"a backend that is {has.backend} cannot be down"
        case "processes" if has.backend == "memory":
            return "no other process reaches what is in memory"
        case "schema" if has.backend == "memory" or not has.schema:
            return "what is kept has no schema"
        case _:
            return ""
