"""The two sides of an e-mail address: the local part by RFC 5321 and 6531, the domain by IDNA 2008. No DNS."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from unicodedata import normalize

import attrs
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, ValidatedEmail, validate_email

from authx_core.domain import letters
from authx_core.domain.folding import fold, is_settled
from authx_core.domain.limits import MAX_EMAIL, MAX_LOCAL

_ATEXT: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~.")
"""The ASCII characters before the @ without quotes (RFC 5322, section 3.2.3), and the dot: a policy places it."""
_SPECIAL: Final = frozenset(SPECIAL_USE_DOMAIN_NAMES)
"""IANA's special-use domain names, as email-validator lists them."""


class BadAddressError(Exception):
    """An address that is refused; its text is the reason."""


@attrs.frozen
class Domain:
    """A domain to compare, and to show."""

    key: str
    shown: str


def parsed(text: str) -> tuple[str, str]:
    """Return the key of an address, and the address to keep. Raises `BadAddressError`."""
    local, at, behind = text.rpartition("@")
    if not at:
        raise BadAddressError("is not an e-mail address: it needs an @ and a domain, as in name@example.org")
    if "@" in local:
        raise BadAddressError("must have one @ only")
    if len(text.encode()) > MAX_EMAIL:
        raise BadAddressError(f"has more than {MAX_EMAIL} octets")
    shown, host = local_part(local), domain(behind)
    return f"{local_key(shown)}@{host.key}", f"{shown}@{host.shown}"


def local_part(text: str) -> str:
    """Return a local part to show: as written, in NFC (RFC 6532, section 3.1). Raises `BadAddressError`.

    Beyond ASCII it may have the characters of usernames (UTS 39, section 3.3.3, asks for identifiers): signs that look
    like the syntax of addresses, or like another sign, are refused. RFC 6531 leaves that to the receiving software.
    """
    if not text.strip("."):
        raise BadAddressError("needs a name before the @")
    if text.startswith('"'):
        raise BadAddressError("must not have quotation marks before the @")
    shown = letters.composed(text)
    if " " in shown:
        raise BadAddressError("has a space before the @: leave it out")
    if any(char.isascii() and char not in _ATEXT for char in shown):
        raise BadAddressError("has a sign before the @ that addresses cannot have there")
    if reason := letters.refusal(shown):
        raise BadAddressError(f"{reason} (before the @)")
    if len(shown.encode()) > MAX_LOCAL:
        raise BadAddressError(f"has more than {MAX_LOCAL} octets before the @")
    return shown


def local_key(shown: str) -> str:
    """Return the form in which a local part is compared. Raises `BadAddressError`."""
    key = fold(shown)
    if len(key.encode()) > MAX_LOCAL:
        raise BadAddressError(f"has more than {MAX_LOCAL} octets before the @")
    if not is_settled(shown, key) or local_part(key) != key:
        raise BadAddressError("has no stable form before the @: leave out unusual letters and accents")
    return key


def domain(text: str) -> Domain:
    """Return a domain, special-use ones and single labels included. Raises `BadAddressError`."""
    if not text:
        raise BadAddressError("needs a domain after the @, such as example.org")
    if any(char.isspace() for char in text):
        raise BadAddressError("has a space after the @: leave it out")
    special = normalize("NFKC", text).casefold().rpartition(".")[2] in _SPECIAL
    suffix = ".de" if special else ""  # email-validator takes special-use domains for errors, but not below another
    try:
        parsed: ValidatedEmail = validate_email(
            f"a@{text}{suffix}", check_deliverability=False, globally_deliverable=False, allow_domain_literal=False
        )
    except EmailNotValidError:
        raise BadAddressError("has a domain after the @ that cannot be: check it for typing errors") from None
    key = parsed.ascii_domain.removesuffix(suffix)
    if not key[-1].isalpha():
        raise BadAddressError("has no top-level domain, such as .org, after the @")
    return Domain(key, text if text.isascii() else parsed.domain.removesuffix(suffix))


def is_special(key: str) -> bool:
    """Whether mail from outside cannot reach this domain: a special-use name (RFC 6761), or one without a dot."""
    return "." not in key or key.rpartition(".")[2] in _SPECIAL


def is_below(key: str, domains: Collection[str]) -> bool:
    """Whether a domain is one of these, or below one."""
    return any(key == each or key.endswith(f".{each}") for each in domains)


def has_odd_dots(local: str) -> bool:
    """Whether dots stand where RFC 5322, section 3.2.3, has none: first, last, or two in a row."""
    return local.startswith(".") or local.endswith(".") or ".." in local
