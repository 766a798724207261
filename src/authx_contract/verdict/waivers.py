"""Faults in declarations, waivers, and pending clauses: failures that are known or do not bind yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version

import attrs

from authx_contract.capabilities import Capabilities, Waiver
from authx_contract.clause import Clause
from authx_contract.harness import Harness
from authx_contract.registry import all_clauses
from authx_contract.terms import FIRST
from authx_contract.verdict.outcome import Outcome, Status


def release() -> str:
    """Return the installed version of authx-users."""
    try:
        return version("authx-users")
    except PackageNotFoundError:  # a checkout on the path, which is not installed
        return FIRST


def is_pending(clause: Clause, of: str) -> bool:
    """Whether a clause is new in this minor release. It binds from the next on; one of a major release at once."""
    since = _minor(clause.since)
    return clause.since != FIRST and since[1] > 0 and since == _minor(of)


def _minor(text: str) -> tuple[int, int]:
    major, minor, *_ = [*text.split("."), "0"]
    return int(major), int(minor)


def faults(harness: type[Harness]) -> list[str]:
    """Return the faults of what a harness declares: a wrong type, or faults of waivers."""
    if not isinstance(harness.capabilities, Capabilities):
        return ["`capabilities` must be a `Capabilities(…)`"]
    if not all(isinstance(each, Waiver) for each in harness.waivers):
        return ["`waivers` must be a sequence of `Waiver(id, reason, until)`"]
    return _waiver_faults(harness.waivers)


def _waiver_faults(waivers: Sequence[Waiver]) -> list[str]:
    """Return the faults of waivers: an unknown id, a second waiver of one clause, or no reason."""
    known = {each.id for each in all_clauses()}
    ids = [each.id for each in waivers]
    return [
        *(f"the waiver of {each} names no clause" for each in ids if each not in known),
        *(f"{each} is waived twice" for each in dict.fromkeys(ids) if ids.count(each) > 1),
        *(f"the waiver of {each.id} gives no reason" for each in waivers if not each.reason.strip()),
    ]


def judged(outcome: Outcome, waivers: Sequence[Waiver], *, today: date, of: str) -> Outcome:
    """Return the outcome after waivers, and after the exemption of clauses that do not bind in this release."""
    waiver = next((each for each in waivers if each.id == outcome.clause.id), None)
    if waiver is not None and outcome.status.ran:
        status, reason = _waived(outcome, waiver, today)
        return attrs.evolve(outcome, status=status, reason=reason)
    if outcome.status is Status.FAILED and is_pending(outcome.clause, of):
        reason = f"new in {outcome.clause.since}: binds from the next release on"
        return attrs.evolve(outcome, status=Status.PENDING, reason=reason)
    return outcome


def _waived(outcome: Outcome, waiver: Waiver, today: date) -> tuple[Status, str]:
    if outcome.status is Status.PASSED:
        return Status.PASSED_THOUGH_WAIVED, f"the clause holds: remove its waiver ({waiver.reason})"
    if today > waiver.until:
        return Status.WAIVER_ENDED, f"the waiver ended on {waiver.until} ({waiver.reason})"
    return Status.WAIVED, f"{waiver.reason} (until {waiver.until})"
