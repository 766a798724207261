"""The order in which to write the methods of an adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["users", "cache"]

ORDER: Final[Mapping[Kind, Sequence[tuple[str, str]]]] = {
    "users": (
        ("create, get", "U-001"),
        ("get_by_email, get_by_username, get_by_social", "U-010 U-011 U-012 U-013"),
        ("count", "U-002 U-020"),
        ("update", "U-006 U-030 U-031 U-033 U-037 U-038 U-071"),
        ("delete", "U-003 U-032"),
        ("search", "U-005 U-040 U-050 U-051 U-052 U-053 U-054 U-056 U-057 U-070"),
        ("get_blackout, set_blackout", "U-004 U-060 U-063"),
    ),
    "cache": (
        ("get_many, pop", "C-001"),
        ("set", "C-005 C-034"),
        ("add", "C-002 C-004 C-011"),
        ("increment_many", "C-003 C-012 C-013 C-015 C-016 C-017 C-019 C-031 C-032"),
        ("delete", "C-010 C-014 C-020 C-030 C-033 C-036"),
    ),
}
"""The methods in that order, each with the clauses of level 1 that it turns green."""
