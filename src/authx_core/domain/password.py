"""What a password must be, and the form in which it is hashed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from unicodedata import normalize

from authx_core.domain.errors import Problem
from authx_core.domain.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authx_core.domain.policy import Policy

_UNIT: Final = 4
"""Repetitions of up to so many characters count as common: aaaa…, abab…, 1234 1234 …"""


def prepared(password: Secret, limit: int) -> Secret | Problem:
    """Return the password in NFC (RFC 8265, section 4.2; NIST SP 800-63B-4), or why nobody can have it.

    ``limit`` in octets is checked first, so that no input costs more than reading its length.
    """
    text = password.reveal()
    if not isinstance(text, str):
        return Problem("password", "invalid", "must be text")
    if len(text) > limit:
        return _too_long(limit)
    try:
        if len(text.encode()) > limit:
            return _too_long(limit)
    except UnicodeEncodeError:
        return Problem("password", "invalid", "must not contain a lone surrogate")
    if "\0" in text:
        return Problem("password", "invalid", "must not contain NUL")
    return Secret(normalize("NFC", text))


def _too_long(limit: int) -> Problem:
    return Problem("password", "too_long", f"must have at most {limit} bytes")


def check_password(password: Secret | None, policy: Policy, *, known: Iterable[str | None] = ()) -> list[Problem]:
    """Say all that is wrong with a password; ``known`` are the person's own names, which it must not be."""
    if not isinstance(password, Secret):
        return [Problem("password", "invalid", "must be text")]
    ready = prepared(password, policy.password_max_bytes)
    if isinstance(ready, Problem):
        return [ready]
    problems: list[Problem] = []
    length = len(ready.reveal())
    if length < policy.password_min:
        problems.append(Problem("password", "too_short", f"must have at least {policy.password_min} characters"))
    if length > policy.password_max:
        problems.append(Problem("password", "too_long", f"must have at most {policy.password_max} characters"))
    folded = Secret(ready.reveal().casefold())
    if folded.reveal() in policy.blocklist or _repeats(folded, policy):
        problems.append(Problem("password", "common", "is one of those that are tried first"))
    if folded.reveal() in {name.casefold() for name in known if name}:
        problems.append(Problem("password", "own_name", "must not be the address or the username"))
    return problems


def _repeats(password: Secret, policy: Policy) -> bool:
    """Whether a password is one short piece, or one common password, over and over."""
    length = len(password.reveal())
    return any(
        password.reveal() == password.reveal()[:size] * (length // size)
        and (size <= _UNIT or password.reveal()[:size] in policy.blocklist)
        for size in range(1, length // 2 + 1)
        if length % size == 0
    )
