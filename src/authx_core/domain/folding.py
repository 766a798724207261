"""From a spelling to the form that is compared: case, width, compatibility letters and joiners make no difference.

The steps are those of a compatibility caseless match (The Unicode Standard, D146), because a mapping to lower case
alone (RFC 8264, section 5.2.3) distinguishes ``ΠΑΠΆΣ`` from ``παπάς`` and ``STRASSE`` from ``straße``.
Besides, the dots of i make no difference: ``İ``, ``I``, ``ı`` and ``i`` are each other's upper or lower case in some
language. Joiners are removed, after those that spell a letter in an older way have become that letter.
"""

from __future__ import annotations

from typing import Final
from unicodedata import combining, normalize

ZWNJ: Final = "\u200c"
ZWJ: Final = "\u200d"

_SPELT: Final = {
    "\u0d23\u0d4d": "\u0d7a",  # Malayalam chillus: The Unicode Standard, section 12.9
    "\u0d28\u0d4d": "\u0d7b",
    "\u0d30\u0d4d": "\u0d7c",
    "\u0d32\u0d4d": "\u0d7d",
    "\u0d33\u0d4d": "\u0d7e",
    "\u0d15\u0d4d": "\u0d7f",
    "\u0d2e\u0d4d": "\u0d54",
    "\u0d2f\u0d4d": "\u0d55",
    "\u0d34\u0d4d": "\u0d56",
    "\u09a4\u09cd": "\u09ce",  # Bengali khanda ta: section 12.2
    "\u0930\u094d": "\u0931\u094d",  # Devanagari eyelash ra: section 12.1, R5a
}
"""The letter that a consonant with its virama spells before a ZERO WIDTH JOINER."""
_ROUNDS: Final = 4
"""Folding is stable after two rounds; callers refuse text that is not."""


def fold(text: str) -> str:
    """Return the form in which a text is compared. Nothing is refused here."""
    if text.isascii():
        return text.lower()
    for _ in range(_ROUNDS):
        folded = _step(text)
        if folded == text:
            break
        text = folded
    return text


def is_settled(text: str, key: str) -> bool:
    """Whether a text's upper, lower and title case have its key too, and the key has itself.

    Marks after an iota subscript, for example, end up on another letter in upper case.
    """
    return text.isascii() or all(fold(form) == key for form in (text.upper(), text.lower(), text.title(), key))


def _step(text: str) -> str:
    text = normalize("NFC", text)
    for spelling, letter in _SPELT.items():
        text = text.replace(spelling + ZWJ, letter)
    text = text.replace(ZWJ, "").replace(ZWNJ, "")
    text = normalize("NFKD", normalize("NFKD", normalize("NFD", text).casefold()).casefold())
    return normalize("NFC", _without_dots(text.replace("ı", "i")))


def _without_dots(text: str) -> str:
    """Drop the dots above i, where nothing else stands between (SpecialCasing.txt, After_I)."""
    kept: list[str] = []
    after_i = False
    for char in text:
        if after_i and char == "\u0307":
            continue
        if combining(char) in (0, 230):
            after_i = char == "i"
        kept.append(char)
    return "".join(kept)
