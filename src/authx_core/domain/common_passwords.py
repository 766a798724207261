"""Passwords that attackers try first (NIST SP 800-63B-4, section 3.1.1.2: compare with a blocklist)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def common_passwords() -> frozenset[str]:
    """Return the shipped list, case-folded. An application with a larger one passes it to ``Policy(blocklist=…)``."""
    text = files("authx_core.domain").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
