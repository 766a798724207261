"""What clauses need beyond a port, and what a harness declares or brings."""

from __future__ import annotations

from importlib.util import find_spec

import attrs

from authx_core.contract.clause import Clause, Need
from authx_core.contract.harness import Harness, overrides


@attrs.frozen
class Obstacle:
    """Why a clause is not run, and whether the adapter has no such thing or the harness does not let one look."""

    reason: str
    inapplicable: bool = False


def obstacle(clause: Clause, harness: type[Harness]) -> Obstacle | None:
    """Return what stands in the way of running a clause, or None."""
    found = [each for need in clause.needs if (each := _obstacle(need, harness)) is not None]
    return min(found, key=lambda each: not each.inapplicable, default=None)


def _obstacle(need: Need, harness: type[Harness]) -> Obstacle | None:
    has = harness.capabilities
    match need:
        case "time" if has.clock == "server" and not overrides(harness, "rewind"):
            return Obstacle("the harness has no `rewind`, so no lifetime can pass")
        case "namespaces" if not has.namespaced:
            return Obstacle("the harness declares no namespaces", inapplicable=True)
        case "outage" if has.backend != "server":
            return Obstacle(f"a backend that is {has.backend} cannot be down", inapplicable=True)
        case "outage" if not (overrides(harness, "stop_backend") and overrides(harness, "start_backend")):
            return Obstacle("the harness has no `stop_backend` and `start_backend`")
        case "processes" if has.backend == "memory":
            return Obstacle("no other process reaches what is in memory", inapplicable=True)
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
