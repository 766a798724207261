"""Values that must not show.

`Secret` wraps what only its receiver may read: passwords on their way in, tokens on their way out.
`Masked` is real text, for what adapters must store and hashers must read: a password hash.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

_MASK: Final = "••••••"


class Secret:
    """A text that shows in no repr, log, traceback or pickle: `reveal` is the one way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str | Secret) -> None:
        self._value: str = value.reveal() if isinstance(value, Secret) else value

    def reveal(self) -> str:
        """Return the text."""
        return self._value

    def digest(self) -> str:
        """Return the SHA-256 of the text in hexadecimal: what may be kept of a token of 128 bits or more."""
        return hashlib.sha256(self._value.encode()).hexdigest()

    def __repr__(self) -> str:
        return f"Secret({_MASK})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (str(text).encode("utf-8", "surrogatepass") for text in (self._value, other.reveal()))
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")


class Masked(str):
    """Text whose repr hides it, so that no dict, dataclass or traceback that holds it shows it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{_MASK}'"


def masked(text: str | None) -> str | None:
    """Mask a text; leave everything else as it is, for a check to refuse."""
    return Masked(text) if isinstance(text, str) else text
