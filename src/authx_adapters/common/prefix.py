"""Prefix search as a range, which every ordered index supports."""

from __future__ import annotations

from typing import Final

_LAST: Final = "\U0010ffff"
_SURROGATES: Final = range(0xD800, 0xE000)


def after_prefix(prefix: str) -> str | None:
    """Return the first text, by code points, after all texts that begin with ``prefix``; None if there is none."""
    stem = prefix.rstrip(_LAST)
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    return stem[:-1] + chr(_SURROGATES.stop if following in _SURROGATES else following)
