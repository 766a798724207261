"""Clauses that kill no mutant in memory that another does not kill too, and why they stay."""

from __future__ import annotations

from typing import Final

REASONS: Final[dict[str, str]] = {
    "U-002": "users who lack much are in nearly every clause; this one says what is wrong with them",
    "U-005": "a store that keeps the caller's own mapping fails U-033 too; this one says what is wrong with it",
    "U-034": "a compare-and-set that U-035 finds broken loses updates too; a loop that never ends, as within one "
    "REPEATABLE READ transaction, shows here alone, and needs a server",
    "U-035": "the same of U-034: two winners of one version are what a lost update comes from",
    "U-060": "`set_blackout` answers with what stands, so that U-063 and U-065 see a wrong cut-off too; this one "
    "says it plainly",
    "U-063": "what one caller is told wrongly is wrong in U-065 too; this one says it plainly",
    "U-085": "only what outlives a process can be half written when it is killed: its mutants need a server",
    "C-021": "what gives a value twice does so against a `set` too (C-025); this one says it plainly",
    "C-023": "counters that lose steps lose them in C-026 and C-036 too; this one says it plainly",
}
