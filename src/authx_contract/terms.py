"""The words that a clause is described by."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Port: TypeAlias = Literal["users", "cache", "clock", "hasher"]
Level: TypeAlias = Literal[1, 2, 3]
Kind: TypeAlias = Literal["sequence", "race", "crash", "model", "process"]
Need: TypeAlias = Literal[
    "time", "namespaces", "outage", "processes", "schema", "stored", "hypothesis", "outdated hash", "excessive hash"
]
"""What a harness has to provide beyond its ports; see `authx_contract.verdict.needs`."""

PORTS: Final[dict[str, Port]] = {"U": "users", "C": "cache", "K": "clock", "P": "hasher"}
"""The ports by the first letter of their clauses' ids, in the order in which clauses run."""
FIRST: Final = "0.1"
"""The release in which the suite began; its clauses bind at once."""
RACERS: Final = 4
"""Callers that race. More of them do not find more; more rounds do."""
