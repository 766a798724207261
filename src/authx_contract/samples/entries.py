"""Sample entries of a cache."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from authx_contract.basics.expect import holds, same
from authx_contract.trial import Trial
from authx_core.ports import Cache

MOMENT: Final = timedelta(milliseconds=1)
MINUTE: Final = timedelta(minutes=1)
AWKWARD: Final = (
    "a", "A", "á", "a\u0301", "a ", " a", "ı", "i", "I", "ß", "ss", "😀", "😁", "a\u200b", "a:b", "a/b", "a%", "a_",
    "a*", "a\n", "a\r\n", "'", '"', "\\", "{a}b", "{a}c", "ａ",
    "\uffff", "\U0010ffff", "\x7f", "\x01",
)  # fmt: skip
"""Texts that all differ by code point, though some look or sort alike."""


async def gone_exactly_after(trial: Trial, ttl: timedelta, cache: Cache, *keys: str) -> None:
    """Check that the keys expire exactly after this time."""
    await trial.elapse(ttl - trial.slack)
    for key in keys:
        holds(await cache.get(key) is not None, f"{key!r} was gone before its deadline")
    await trial.elapse(trial.slack)
    for key in keys:
        same(await cache.get(key), None, f"{key!r} was readable at its deadline")


async def warm(cache: Cache) -> None:
    """Use a handle once."""
    await cache.get("warm")
