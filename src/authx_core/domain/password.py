"""The rules for passwords, and the form in which they are hashed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from unicodedata import normalize

from authx_core.domain.errors import InvalidPassword, Problem
from authx_core.domain.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authx_core.domain.policy import Policy

_UNIT: Final = 4
"""Repetitions of up to so many characters count as common: aaaa…, abab…, 1234 1234 …"""


class PreparedPassword(Secret):
    """A password in the form in which it is hashed: in NFC, of a bounded size, without NUL and lone surrogates.

    `prepared` and `accepted` make it, once for each password; everything after them takes it as it is.
    """

    __slots__ = ()


def prepared(password: Secret, policy: Policy) -> PreparedPassword:
    """Prepare a password for comparison (RFC 8265, section 4.2; NIST SP 800-63B-4).

    Raises `InvalidPassword` for one that no user can have. Its size in octets is checked first, so that no input costs
    more than reading its length.
    """
    if problem := _impossible(password, policy.password_max_bytes):
        raise InvalidPassword(problem)
    return PreparedPassword(normalize("NFC", password.reveal()))


def accepted(password: Secret, policy: Policy, *, names: Iterable[str | None]) -> PreparedPassword:
    """Prepare a new password by the policy. Raises `InvalidPassword` with every reason."""
    ready = prepared(password, policy)
    if problems := [*_weaknesses(ready, policy), *_likeness(ready, names)]:
        raise InvalidPassword(*problems)
    return ready


def check_names(password: PreparedPassword, names: Iterable[str | None]) -> None:
    """Raise `InvalidPassword` if a password is one of the person's own names."""
    if problems := _likeness(password, names):
        raise InvalidPassword(*problems)


def _impossible(password: Secret, limit: int) -> Problem | None:
    """Say why no user can have this password. Nothing is raised here, so that no traceback shows the text."""
    text = password.reveal()
    if not isinstance(text, str):
        return Problem("password", "invalid", "must be text")
    try:
        if len(text) > limit or len(text.encode()) > limit:
            return Problem("password", "too_long", f"must have at most {limit} bytes")
    except UnicodeEncodeError:
        return Problem("password", "invalid", "must not contain a lone surrogate")
    return Problem("password", "invalid", "must not contain NUL") if "\0" in text else None


def _weaknesses(password: PreparedPassword, policy: Policy) -> Iterable[Problem]:
    length = len(password.reveal())
    if length < policy.password_min:
        yield Problem("password", "too_short", f"must have at least {policy.password_min} characters")
    if length > policy.password_max:
        yield Problem("password", "too_long", f"must have at most {policy.password_max} characters")
    if _is_common(Secret(password.reveal().casefold()), policy):
        yield Problem("password", "common", "is one of those that are tried first")


def _is_common(folded: Secret, policy: Policy) -> bool:
    """Whether a password is on the blocklist, or is one short piece, or one common password, over and over."""
    length = len(folded.reveal())
    return folded.reveal() in policy.blocklist or any(
        folded.reveal() == folded.reveal()[:size] * (length // size)
        and (size <= _UNIT or folded.reveal()[:size] in policy.blocklist)
        for size in range(1, length // 2 + 1)
        if length % size == 0
    )


def _likeness(password: PreparedPassword, names: Iterable[str | None]) -> list[Problem]:
    if password.reveal().casefold() in {name.casefold() for name in names if name}:
        return [Problem("password", "own_name", "must not be the address or the username")]
    return []
