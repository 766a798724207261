"""Canonical keys: the form in which addresses and usernames are compared and unique.

``docs/identifiers.md`` has the rules. A key is its own key: ``email_key(email_key(x)) == email_key(x)``, and likewise
for usernames. Text whose key would not be stable is refused. No policy changes a key, so that a user who was created
under one policy is found under another. Length is bounded before anything else: normalising 100,000 combining marks
takes seconds.
"""

from __future__ import annotations

from typing import Final
from unicodedata import category

from authx_core.domain import address, letters
from authx_core.domain.errors import InvalidValue, Problem
from authx_core.domain.folding import fold, is_settled
from authx_core.domain.limits import MAX_EMAIL, MAX_NAME
from authx_core.domain.reasons import why_not_text

_PUNCTUATION: Final = frozenset("-._~!$&'()*+,;=")
"""ASCII signs that a segment of a URL's path may have (RFC 3986, section 3.3), less ``@``, and the
``:`` which HTTP Basic cannot have in a name (RFC 7617, section 2)."""


def email_key(value: object) -> str:
    """Return the key of an e-mail address: local part folded, domain in IDNA's ASCII form. No DNS.

    White space around it makes no difference. Raises `InvalidValue` with the reason.
    """
    return _email(value)[0]


def email_text(value: object) -> str:
    """Return an address to keep and to send mail to: as written, in NFC, without white space around it."""
    return _email(value)[1]


def _email(value: object) -> tuple[str, str]:
    text = letters.stripped(_bounded("email", value, MAX_EMAIL))
    try:
        key, shown = address.parsed(text)
    except address.BadAddressError as error:
        raise _refused("email", str(error)) from None
    if max(len(key.encode()), len(shown.encode())) > MAX_EMAIL:
        raise _refused("email", f"has more than {MAX_EMAIL} octets")
    return key, shown


def username_key(name: object) -> str:
    """Return the key of a username: its characters by PRECIS (RFC 8264, 8265), folded. It has no ``@``.

    White space around it makes no difference. Raises `InvalidValue` with the reason.
    """
    shown = username_text(name)
    key = fold(shown)
    if len(key) > MAX_NAME:
        raise _refused("username", f"must have at most {MAX_NAME} characters")
    if not is_settled(shown, key) or _wrong_name(key) or letters.tidied(key) != key:
        raise _refused("username", "has no stable lower-case form: leave out unusual letters and accents")
    return key


def username_text(name: object) -> str:
    """Return a username to show: as written, full width mapped (RFC 8265, section 3.4), in NFC.

    Raises `InvalidValue` with the reason.
    """
    shown = letters.tidied(letters.stripped(_bounded("username", name, MAX_NAME)))
    if reason := _wrong_name(shown):
        raise _refused("username", reason)
    return shown


def _wrong_name(shown: str) -> str | None:
    if "@" in shown:
        return "must not contain @, which marks an e-mail address"
    if " " in shown:
        return "has a space: leave it out"
    if any(char.isascii() and not char.isalnum() and char not in _PUNCTUATION for char in shown):
        return "has a sign that links cannot hold: use letters, digits, dots, hyphens and underscores"
    if reason := letters.refusal(shown):
        return reason
    if not any(category(char)[0] in "LN" and category(char) != "Lm" for char in shown):
        return "needs a letter or a digit"
    if address.has_odd_dots(shown):
        return "must not begin or end with a dot, nor have two in a row"
    if letters.breaks_bidi_rule(shown):
        return "would be shown in another order: do not mix letters written from the right with others"
    return None


def username_fragment(text: str) -> str:
    """Return a piece of a username in the form that keys have.

    Nothing is refused: text that no key contains finds no user.
    """
    return fold(text)


def email_fragment(text: str) -> str:
    """Return a piece of an address in the form that keys have.

    Nothing is refused: text that no key contains finds no user. A domain is found in its
    ASCII form if it is whole, or ends with a whole label.
    """
    local, at, behind = text.rpartition("@")
    try:
        return f"{fold(local)}@{address.domain(behind).key}" if at and not behind.isascii() else fold(text)
    except address.BadAddressError:
        return fold(text)


def _refused(field: str, reason: str) -> InvalidValue:
    return InvalidValue(Problem(field, "invalid", reason))


def _bounded(field: str, value: object, limit: int) -> str:
    reason = why_not_text(value, limit)
    if reason or not isinstance(value, str):
        raise _refused(field, reason or "must be text")
    return value
