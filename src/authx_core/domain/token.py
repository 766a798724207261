"""Tokens of links: their digests are kept unsalted, so chance alone protects them."""

from __future__ import annotations

import secrets
from itertools import pairwise
from math import ceil, log2
from string import ascii_lowercase, ascii_uppercase, digits, hexdigits
from typing import Final

from authx_core.domain.errors import InvalidValue, Problem
from authx_core.domain.reasons import why_not_text
from authx_core.domain.secret import Secret

MIN_TOKEN: Final = 22
"""Characters of URL-safe base64 that hold 128 bits."""
MAX_TOKEN: Final = 1024
_BITS: Final = 112
"""Bits of chance, at least (OWASP ASVS 4, 2.6.2)."""
_DISTINCT: Final = 8
"""Different characters at least. Of 10,000,000 random tokens of 28 hexadecimal digits, fewer than one has fewer."""
_DISTINCT_DIGITS: Final = 6
"""If all are decimal digits: of 50,000,000 random tokens of 34 digits, about one has fewer."""
_MAKE: Final = "or it could be guessed: make it with secrets.token_urlsafe(32)"


class LinkToken(Secret):
    """A token that cannot be guessed; `new_token` and `checked_token` make it."""

    __slots__ = ()


def new_token() -> LinkToken:
    """Make a token of 256 bits, URL-safe."""
    return LinkToken(secrets.token_urlsafe(32))


def checked_token(token: Secret) -> LinkToken:
    """Accept a token of the application. Raises `InvalidValue` if it could be guessed or is not text."""
    if reason := why_no_token(token.reveal()):
        raise InvalidValue(Problem("token", "invalid", reason))
    return LinkToken(token)


def why_no_token(token: object) -> str | None:
    """Say why a token cannot be taken, or None."""
    if reason := why_not_text(token, MAX_TOKEN):
        return reason
    given = str(token)
    if len(given) < MIN_TOKEN:
        return f"must have at least {MIN_TOKEN} characters, {_MAKE}"
    distinct = _DISTINCT_DIGITS if given.isdecimal() else _DISTINCT
    if len(set(given)) < distinct or _is_periodic(given) or _is_a_progression(given):
        return f"must be random, {_MAKE}"
    bits = log2(_alphabet(given))
    if len(given) * bits < _BITS:
        return f"must have at least {ceil(_BITS / bits)} characters of these kinds, {_MAKE}"
    return None


def _alphabet(token: str) -> int:
    """Return from how many characters a token may have been drawn."""
    used = set(token)
    if used <= set(hexdigits.lower()) or used <= set(hexdigits.upper()):
        return 10 if used <= set(digits) else 16
    letters = sum(len(kind) for kind in (digits, ascii_lowercase, ascii_uppercase) if used & set(kind))
    return letters + len(used - set(digits + ascii_lowercase + ascii_uppercase))


def _is_periodic(token: str) -> bool:
    """Whether a token is one piece of at most half its length, over and over."""
    return any(token[size:] == token[:-size] for size in range(1, len(token) // 2 + 1))


def _is_a_progression(token: str) -> bool:
    """Whether each character follows the one before at the same distance."""
    return len({ord(after) - ord(before) for before, after in pairwise(token)}) == 1
