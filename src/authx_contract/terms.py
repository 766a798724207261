"""The words that describe a clause."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Port: TypeAlias = Literal["users", "cache", "clock", "hasher"]
Level: TypeAlias = Literal[1, 2, 3]
Kind: TypeAlias = Literal["sequence", "race", "crash", "model", "process"]
Need: TypeAlias = Literal[
    "time", "namespaces", "outage", "processes", "schema", "stored", "hypothesis", "outdated hash", "excessive hash"
]
"""A requirement that a harness meets beyond its ports; see `authx_contract.verdict.needs`."""

PORTS: Final[dict[str, Port]] = {"U": "users", "C": "cache", "K": "clock", "P": "hasher"}
"""The ports by the first letter of their clauses' ids; clauses run in this order."""
FIRST: Final = "0.1"
"""The first release of the suite; its clauses bind at once."""
RACERS: Final = 4
"""How many callers race. More rounds find more faults; more callers do not."""
