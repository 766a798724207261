"""Canonical keys: the form in which addresses and usernames are compared and unique.

A key is its own key: ``email_key(email_key(x)) == email_key(x)``, and likewise for usernames. Text whose key would
not be stable is refused. Length is bounded before anything else: normalising 100,000 combining marks takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final
from unicodedata import normalize

from email_validator import EmailNotValidError, validate_email
from precis_i18n import get_profile

from authx_core.domain import checks
from authx_core.domain.errors import InvalidValue, Problem

MAX_LOCAL: Final = 64
"""Octets before the @ (RFC 5321, section 4.5.3.1.1)."""

_PRESERVED: Final = get_profile("UsernameCasePreserved")
_MAPPED: Final = get_profile("UsernameCaseMapped")


def _refused(field: str, reason: str) -> InvalidValue:
    return InvalidValue(Problem(field, "invalid", reason))


_bad_email: Final = partial(_refused, "email")
_bad_username: Final = partial(_refused, "username")


def email_key(address: object) -> str:
    """Return the key of an e-mail address: local part case-folded (NFC), domain in IDNA's ASCII form. No DNS.

    Raises `InvalidValue` with what is wrong.
    """
    text = _bounded("email", address, checks.MAX_EMAIL)
    key = _email_step(text)
    if not key.isascii() and _email_step(key) != key:
        raise _bad_email("has no stable case-folded form")
    return key


def _email_step(address: str) -> str:
    try:
        parsed = validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        raise _bad_email(f"is not an e-mail address: {error}") from None
    local = normalize("NFC", parsed.local_part.casefold())
    if len(local.encode()) > MAX_LOCAL:
        raise _bad_email(f"has more than {MAX_LOCAL} octets before the @")
    key = f"{local}@{parsed.ascii_domain}"
    if max(len(key.encode()), len(address.encode())) > checks.MAX_EMAIL:
        raise _bad_email(f"has more than {checks.MAX_EMAIL} octets")
    return key


def username_key(name: object) -> str:
    """Return the key of a username: PRECIS UsernameCaseMapped (RFC 8265, section 3.3), without ``@``.

    Raises `InvalidValue` with what is wrong.
    """
    text = _bounded("username", name, checks.MAX_NAME)
    key = _username_step(text, _MAPPED.enforce)
    if not key.isascii() and _username_step(key, _MAPPED.enforce) != key:
        raise _bad_username("has no stable lower-case form")
    return key


def username_text(name: object) -> str:
    """Return a username to show: PRECIS UsernameCasePreserved (RFC 8265, section 3.4), without ``@``."""
    return _username_step(_bounded("username", name, checks.MAX_NAME), _PRESERVED.enforce)


def _username_step(name: str, enforce: Callable[[str], str]) -> str:
    if "@" in name:
        raise _bad_username("must not contain @")
    try:
        enforced = enforce(name)
    except UnicodeEncodeError as error:
        rule = error.reason.removeprefix("DISALLOWED/").replace("_", " ")
        raise _bad_username(f"has characters that usernames cannot have ({rule})") from None
    if "@" in enforced:
        raise _bad_username("must not contain @")
    if len(enforced) > checks.MAX_NAME:
        raise _bad_username(f"must have at most {checks.MAX_NAME} characters")
    return enforced


def username_fragment(text: str) -> str:
    """Return a piece of a username in the form that keys have, without refusing what no key contains."""
    widened = _MAPPED.width_mapping_rule(text)
    return str(_MAPPED.normalization_rule(_MAPPED.case_mapping_rule(widened)))


def email_fragment(text: str) -> str:
    """Return a piece of an address in the form that keys have, without refusing what no key contains."""
    return normalize("NFC", text.casefold())


def _bounded(field: str, value: object, limit: int) -> str:
    reason = checks.text(value, limit)
    if reason or not isinstance(value, str):
        raise _refused(field, reason or "must be text")
    return value
