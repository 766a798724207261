"""How messages and logs show a stranger's text: one short line, without control or bidi characters."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 64
"""Characters of a stranger's text that a message shows."""
_LONGEST_ID: Final = 255
_LONGEST_SENTENCE: Final = 1024


def shown(value: object, limit: int = _LONGEST) -> str:
    """Return a text as messages and logs may show it: escaped, and cut if long. Of anything else, show the type."""
    text = value if isinstance(value, str) else f"<{type(value).__name__}>"
    cut = f"{text[: limit - 1]}…" if len(text) > limit else text
    return cut if cut.isprintable() else "".join(each if each.isprintable() else repr(each)[1:-1] for each in cut)


def sentence(text: str) -> str:
    """Return a message that may quote a stranger."""
    return shown(text, _LONGEST_SENTENCE)


def shown_id(user_id: object) -> str:
    """Return at most 255 characters of an id, which an error keeps as data: not escaped, but fit for UTF-8."""
    text = user_id if isinstance(user_id, str) else f"<{type(user_id).__name__}>"
    return text[:_LONGEST_ID].encode("utf-8", "backslashreplace").decode()
