"""Text that must not show: passwords, tokens and password hashes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Final, NoReturn

MASK: Final = "••••••"


class Secret:
    """A text that shows in no repr, log, traceback, pickle or serialiser; only `reveal` returns it.

    A closure holds the text: code that walks attributes and slots finds a function, which no format accepts.
    A Secret is immutable; a copy is the same object.
    """

    __slots__ = ("_text",)
    _text: Callable[[], str]

    def __init__(self, value: str | Secret) -> None:
        text = value.reveal() if isinstance(value, Secret) else value
        object.__setattr__(self, "_text", lambda: text)

    def reveal(self) -> str:
        """Return the text."""
        return self._text()

    def digest(self) -> str:
        """Return the SHA-256 of the text in hexadecimal, which may be stored for a token of 128 bits or more."""
        return hashlib.sha256(self.reveal().encode()).hexdigest()

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return format(str(self), format_spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (str(each.reveal()).encode("utf-8", "surrogatepass") for each in (self, other))
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: reveal() it where the text itself is meant to leave")


def secret_or_none(value: str | Secret | None) -> Secret | None:
    """Wrap a text; None stays None. A value of a wrong type is wrapped too: a check refuses it without showing it."""
    return None if value is None else Secret(value)
