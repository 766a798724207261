"""The warning of an adapter without a timeout, whose calls may wait for ever."""

from __future__ import annotations

import warnings


class UnboundedWarning(UserWarning):
    """An adapter on an application's own client has no timeout, so its callers wait for a server that hangs."""


def warn_unbounded(adapter: object) -> None:
    """Warn that an adapter has no timeout."""
    name = type(adapter).__name__
    sentence = f"{name} has no timeout, so a call may wait for ever for its server: give it timeout=5 (seconds)"
    warnings.warn(sentence, UnboundedWarning, stacklevel=3)
