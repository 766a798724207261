"""Clauses that alone kill no mutant in memory, and why they stay."""

from __future__ import annotations

from typing import Final

REASONS: Final[dict[str, str]] = {
    "U-002": "nearly every clause stores users with few fields; this one names the fault",
    "U-005": "a store that keeps the caller's own mapping fails U-033 too; this one names the fault",
    "U-034": "a compare-and-set that U-035 finds broken loses updates too; only this one finds a retry that never "
    "ends, as within one REPEATABLE READ transaction, and its mutant needs a server",
    "U-035": "two writers that both win one version also lose an update (U-034); this one names the fault",
    "U-060": "`set_blackout` returns the cut-off that stands, so that U-063 and U-065 see a wrong one too; this one "
    "names the fault",
    "U-063": "a cut-off that is wrong for one caller is wrong in U-065 too; this one names the fault",
    "U-085": "only data that outlives a process can be half written when it is killed: its mutants need a server",
    "C-021": "a cache that returns a value twice does so against a `set` too (C-025); this one names the fault",
    "C-023": "counters that lose steps lose them in C-026 and C-036 too; this one names the fault",
}
