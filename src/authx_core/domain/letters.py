"""The characters beyond ASCII that a name may have: those of PRECIS' IdentifierClass (RFC 8264, section 4.2).

One kind is added. Some letters that people's orthographies need have a compatibility decomposition, and PRECIS
refuses all of those: Armenian ``և``, Thai ``ำ``, Dutch ``ĳ``, Croatian ``ǆ``, Catalan ``ŀ``. A letter is taken if
Unicode gives it the decomposition ``<compat>``, and into letters; full-width, ornamental and raised forms have others.
Ligatures and the like of the blocks of presentation forms, which are there for old character sets, are not taken.
"""

from __future__ import annotations

from functools import cache
from typing import Final
from unicodedata import bidirectional, category, combining, decomposition, east_asian_width, normalize

from precis_i18n import get_profile
from precis_i18n.context import context_rule_error
from precis_i18n.derived import CONTEXTJ, CONTEXTO, PVALID, derived_property

from authx_core.domain.folding import ZWNJ

_PROFILE: Final = get_profile("UsernameCasePreserved")
_UCD: Final = _PROFILE.base.ucd
_MIDDLE_DOT: Final = "·"
_MOST_MARKS: Final = 4
_PRESENTATION_FORMS: Final = (range(0xFB00, 0xFE00), range(0xFE70, 0xFF00))

_AROUND: Final = "\u200b\u200e\u200f\u061c\u2060\ufeff"
"""Invisible characters that come with pasted text: zero-width spaces and joins, directional marks, the BOM."""
_REFUSALS: Final = {
    "spaces": "has a space: leave it out",
    "symbols": "has a symbol, a typographic sign or an emoji: use letters, digits and the signs on the keyboard",
    "punctuation": "has a typographic sign, such as a curved apostrophe or a long dash: type the one on the keyboard",
    "has_compat": "has letters in a special form, such as full-width or ornamental ones: type them plainly",
    "other_letter_digits": "has letters or digits in a special form: type them plainly",
    "precis_ignorable_properties": "has an invisible character: type it anew instead of pasting it",
    "controls": "has an invisible character: type it anew instead of pasting it",
    "zero_width_nonjoiner": "has an invisible joiner where its script needs none: leave it out",
    "zero_width_joiner": "has an invisible joiner where its script needs none: leave it out",
    "arabic_indic": "mixes two kinds of Arabic digits: use one",
    "extended_arabic_indic": "mixes two kinds of Arabic digits: use one",
    "middle_dot": "has a middle dot where only Catalan's l·l can have one: leave it out",
    "unassigned": "has a character that Unicode does not know: leave it out",
}
_REFUSED: Final = "has a character that words are not written with: leave it out"


def stripped(text: str) -> str:
    """Return a text without white space and invisible characters around it, as HTML does for fields of addresses."""
    before = None
    while before != text:
        before, text = text, text.strip().strip(_AROUND)
    return text


def tidied(text: str) -> str:
    """Return a text to show: full and half width mapped (RFC 8265, section 3.3.2), composed, no idle joiners."""
    return text if text.isascii() else composed(_PROFILE.width_mapping_rule(text))


def composed(text: str) -> str:
    """Return a text in NFC, without a ZERO WIDTH NON-JOINER between letters of Arabic that would not join anyway."""
    text = normalize("NFC", text)
    return "".join(char for at, char in enumerate(text) if char != ZWNJ or not _is_idle(text, at))


def _is_idle(text: str, at: int) -> bool:
    if not context_rule_error(text, at, _UCD):
        return False
    before = next((char for char in reversed(text[:at]) if category(char) != "Mn"), "")
    after = text[at + 1 : at + 2]
    return before != "" and bidirectional(before) == "AL" and (not after or bidirectional(after) in ("AL", "NSM"))


def width(text: str) -> int:
    """Count the characters of a name by the room they take: ideographs, kana and Hangul two, accents none.

    A Chinese name may have one or two ideographs; so few letters are too short in any alphabet (widths: UAX 11).
    """
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text if not combining(char))


def refusal(text: str) -> str | None:
    """Say why a text in NFC is not written in letters, digits and marks; None if it is. ASCII is left to the caller."""
    if text and category(text[0]).startswith("M"):
        return "must not begin with an accent or another mark that belongs on a letter"
    for at, char in enumerate(text):
        if char.isascii():
            continue
        kind, why = derived_property(ord(char), _UCD)
        if kind in (CONTEXTJ, CONTEXTO):
            why = context_rule_error(text, at, _UCD)
            kind = "" if why else PVALID
        if kind != PVALID and not _is_letter_by_compat(char):
            return _why(char, why)
    return "has too many accents on one letter" if _has_many_marks(text) else None


def _why(char: str, kind: str) -> str:
    plain = normalize("NFKC", char)
    if "@" in plain:
        return "has a sign that only looks like @: type the one on the keyboard"
    if " " in plain:
        kind = "spaces"
    elif any(part.isascii() and not part.isalnum() for part in plain):
        kind = "punctuation"
    return _REFUSALS.get(kind, _REFUSED)


def _has_many_marks(text: str) -> bool:
    """Whether more than four accents, or the same one twice, stand in a row (UTS 39, section 5.4).

    Marks of combining class 0 are parts of syllables, of which Burmese and Tibetan may have more.
    """
    before, row = "", 0
    for char in normalize("NFD", text):
        row = row + 1 if combining(char) else 0
        if row > _MOST_MARKS or (row > 1 and char == before):
            return True
        before = char
    return False


def breaks_bidi_rule(text: str) -> bool:
    """Whether a text would show in another order beside other text (RFC 5893, section 2)."""
    try:
        _PROFILE.directionality_rule(text)
    except UnicodeEncodeError:
        return True
    return False


@cache
def _is_letter_by_compat(char: str) -> bool:
    parts = normalize("NFKC", char)
    words = all(derived_property(ord(part), _UCD)[0] == PVALID or part == _MIDDLE_DOT for part in parts)
    old = any(ord(char) in block for block in _PRESENTATION_FORMS)
    return words and not old and category(char)[0] == "L" and _is_compat_throughout(char)


def _is_compat_throughout(char: str) -> bool:
    tag, *parts = decomposition(char).split() or [""]
    if tag.startswith("<") and tag != "<compat>":
        return False
    codes = parts if tag == "<compat>" else [tag, *parts]
    return all(_is_compat_throughout(chr(int(code, 16))) for code in codes if code)
