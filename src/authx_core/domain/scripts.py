"""Names that look like others: mixed scripts and confusables, by UTS 39.

The tables come from Unicode's own data (``tools/uts39.py``); they are read when a first name needs them.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, Literal, TypeAlias
from unicodedata import decimal, normalize

from authx_core.domain.folding import fold

Restriction: TypeAlias = Literal["ascii", "single", "high", "moderate", "any"]
"""UTS 39, section 5.2: which scripts may stand in one name."""

_JOINT: Final = {
    "Hani": {"Hanb", "Jpan", "Kore"},
    "Hira": {"Jpan"},
    "Kana": {"Jpan"},
    "Hang": {"Kore"},
    "Bopo": {"Hanb"},
}
"""Writing systems of several scripts (UTS 39, section 5.1)."""
_WITH_LATIN: Final = ("Hanb", "Jpan", "Kore")
_RECOMMENDED: Final = frozenset(
    [
        *("Arab", "Armn", "Beng", "Bopo", "Deva", "Ethi", "Geor", "Gujr", "Guru", "Hang", "Hani", "Hebr", "Hira"),
        *("Kana", "Khmr", "Knda", "Laoo", "Mlym", "Mymr", "Orya", "Sinh", "Taml", "Telu", "Thaa", "Thai", "Tibt"),
    ]
)
"""UAX 31, table 5, less Cyrillic and Greek, which look too much like Latin."""

_SMALL_CAPITALS: Final = str.maketrans("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋĸʟᴍʍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijkklmmnopqrstuvwyz")
"""Letters in the shape of capitals, which UTS 39 keeps apart from them; Cyrillic's ``в``, ``к``, ``м``, ``н`` and ``т``
have some of these as prototypes."""


def mixes_scripts(name: str, level: Restriction) -> bool:
    """Whether a name has more scripts, or kinds of digits, than this restriction level allows."""
    if level == "any" or name.isascii():
        return False
    if level == "ascii" or len({ord(char) - decimal(char) for char in name if char.isdecimal()}) > 1:
        return True
    found = [own for char in name if (own := _augmented(char))]
    if not found or found[0].intersection(*found):
        return False
    covers = {"high": _WITH_LATIN, "moderate": (*_WITH_LATIN, *_RECOMMENDED)}.get(level, ())
    return not any(all(own & {"Latn", other} for own in found) for other in covers)


def is_among(key: str, names: frozenset[str]) -> bool:
    """Whether a name has the key of one of these."""
    return key in _folded(names)


def resembles(name: str, others: frozenset[str]) -> bool:
    """Whether a name, as it is shown, looks like one of the others in any case."""
    return _looks(name) in _looks_of(others)


@lru_cache(maxsize=16)
def _folded(names: frozenset[str]) -> frozenset[str]:
    return frozenset(map(fold, names))


@lru_cache(maxsize=16)
def _looks_of(names: frozenset[str]) -> frozenset[str]:
    return frozenset(_looks(form) for name in names for form in (name, name.upper()))


def _looks(name: str) -> str:
    """Return the skeleton (UTS 39, section 4) of the skeleton's lower case, so that ``РООТ`` is like ``root``."""
    return _skeleton(_skeleton(name).lower().translate(_SMALL_CAPITALS)).replace("i", "l")


def _skeleton(name: str) -> str:
    prototypes = _prototypes()
    return normalize("NFD", "".join(prototypes.get(char, char) for char in normalize("NFD", name)))


@cache
def _prototypes() -> dict[str, str]:
    rows = ([chr(int(code, 16)) for code in row.split()] for row in _table("confusables.txt"))
    return {char: "".join(prototype) for char, *prototype in rows}


def _augmented(char: str) -> frozenset[str]:
    """Return the scripts that use a character; none if all do."""
    firsts, lasts, names = _ranges()
    at = bisect_right(firsts, ord(char)) - 1
    return names[at] if at >= 0 and ord(char) <= lasts[at] else frozenset()


@cache
def _ranges() -> tuple[list[int], list[int], list[frozenset[str]]]:
    rows = [row.split() for row in _table("scripts.txt")]
    names = [frozenset(own).union(*(_JOINT.get(name, ()) for name in own)) for _, _, *own in rows]
    return [int(row[0], 16) for row in rows], [int(row[1], 16) for row in rows], names


def _table(name: str) -> list[str]:
    lines = files("authx_core.domain").joinpath(name).read_text("utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]
