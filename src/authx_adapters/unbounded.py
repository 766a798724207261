"""The warning of an adapter whose calls may wait for ever."""

from __future__ import annotations

import warnings


class UnboundedWarning(UserWarning):
    """An adapter around an application's own client has no timeout, so a server that hangs holds its callers."""


def warn_unbounded(adapter: object) -> None:
    """Warn that an adapter has no timeout."""
    name = type(adapter).__name__
    sentence = f"a call of {name} waits as long as its client does, maybe for ever: give it timeout=5 (seconds)"
    warnings.warn(sentence, UnboundedWarning, stacklevel=3)
