"""The settings of an application, with safe defaults and their sources."""

from __future__ import annotations

from collections.abc import Container
from datetime import timedelta
from typing import Final, Literal, get_args

import attrs

from authx_core.domain.common_passwords import common_passwords
from authx_core.domain.errors import InvalidPolicy, Problem
from authx_core.domain.lifetimes import why_no_lifetime
from authx_core.domain.limits import MAX_LIMIT, MAX_NAME
from authx_core.domain.reasons import is_set, is_whole
from authx_core.domain.scripts import Restriction

_RESERVED: Final = frozenset(
    [
        "abuse",
        "admin",
        "administrator",
        "anonymous",
        "billing",
        "help",
        "hostmaster",
        "info",
        "me",
        "moderator",
        "noreply",
        "null",
        "owner",
        "postmaster",
        "root",
        "security",
        "staff",
        "superuser",
        "support",
        "system",
        "undefined",
        "webmaster",
    ]
)

_DOTTED: Final = frozenset({"docomo.ne.jp", "ezweb.ne.jp"})

_RANGES: Final = {
    "password_min": (8, 64),  # NIST SP 800-63B-4: never fewer than 8
    "password_max": (64, 1024),  # … and at least 64 permitted
    "password_max_bytes": (256, 4096),
    "username_min": (1, MAX_NAME),
    "username_max": (1, MAX_NAME),
    "login_client_max": (1, 10_000),  # a whole company behind one address
    "login_max": (1, 100),  # NIST SP 800-63B-4, section 3.2.2: at most 100 failures in a row
    "confirmation_max": (1, 100),
    "reset_max": (1, 100),
    "max_page_size": (1, MAX_LIMIT),
}

_DAY: Final = timedelta(days=1)
_LONGEST: Final = {
    "login_client_timeout": _DAY,  # longer, and an address that many share is a weapon against its users
    "login_timeout": _DAY,
    "confirmation_timeout": 30 * _DAY,
    "confirmation_lifetime": 90 * _DAY,
    "reset_timeout": 30 * _DAY,
    "reset_lifetime": 7 * _DAY,  # NIST SP 800-63B-4 gives recovery codes that are sent by e-mail 24 hours
    "access_cache_ttl": _DAY,
    "callback_timeout": _DAY,
}


def _is_text_set(value: object) -> bool:
    return is_set(value) and all(isinstance(each, str) for each in value)


def _is_domain(text: str) -> bool:
    return text != "" and text.isascii() and text == text.lower().strip(".")


@attrs.frozen(kw_only=True)
class Policy:
    """Limits and lifetimes. Raises `InvalidPolicy` with every setting that is out of range or contradicts another."""

    password_min: int = 15
    """Characters after NFC. NIST SP 800-63B-4, section 3.1.1.2: 15 for a single factor; 8 beside a second one."""
    password_max: int = 128
    """Characters after NFC. NIST SP 800-63B-4, section 3.1.1.2: at least 64 are permitted."""
    password_max_bytes: int = 1024
    """Octets in UTF-8, checked before anything else is done with a password."""
    blocklist: Container[str] = attrs.field(factory=common_passwords, repr=False)
    """Case-folded passwords that are refused (NIST SP 800-63B-4, section 3.1.1.2). A shipped list by default."""
    username_min: int = 2
    """Characters of the canonical key; ideographs, kana and Hangul count as two, accents as none (UAX 11)."""
    username_max: int = 32
    """Code points of the canonical key."""
    username_scripts: Restriction = "high"
    """The scripts that may stand in one name, by the restriction levels of UTS 39, section 5.2: ``"ascii"``,
    ``"single"``, ``"high"`` (one, or those of Chinese, Japanese or Korean with Latin), ``"moderate"`` (Latin with any
    other one in common use but Cyrillic and Greek), ``"any"``. It is checked when a name is given, not when one is
    looked up."""
    reserved_usernames: frozenset[str] = _RESERVED
    """Names that nobody may take in any spelling (RFC 2142 and its kin), nor look-alikes (UTS 39, section 4)."""
    special_domains: frozenset[str] = frozenset()
    """Domains that addresses may have, with all below them, though mail from outside cannot reach them: special-use
    ones (RFC 6761) such as ``local``, ``test`` and ``localhost``, and names without a dot."""
    dotted_domains: frozenset[str] = _DOTTED
    """Domains whose addresses may have dots first, last and side by side before the @. Two phone companies of Japan
    gave out such addresses; RFC 5322, section 3.2.3, has none."""
    login_client_max: int = 30
    """Attempts to log in of one client (an IPv4 address, or a /64 of IPv6) in ``login_client_timeout``. Many people may
    share an address."""
    login_client_timeout: timedelta = timedelta(minutes=1)
    """The window of ``login_client_max``, from the client's first attempt; it ends the lock too. At most one day."""
    login_max: int = 10
    """Attempts for one login in ``login_timeout``. NIST SP 800-63B-4, section 3.2.2, allows at most 100 in a row."""
    login_timeout: timedelta = timedelta(minutes=15)
    """The window of ``login_max``, from the login's first attempt; it ends the lock too. At most one day."""
    confirmation_max: int = 2
    """Confirmation links that a user may request in ``confirmation_timeout``."""
    confirmation_timeout: timedelta = timedelta(minutes=30)
    """The window of ``confirmation_max``, from the first request. At most 30 days."""
    confirmation_lifetime: timedelta = timedelta(hours=24)
    """How long a confirmation link works. At most 90 days."""
    reset_max: int = 2
    """Reset links that a user may request in ``reset_timeout``."""
    reset_timeout: timedelta = timedelta(minutes=30)
    """The window of ``reset_max``, from the first request. At most 30 days."""
    reset_lifetime: timedelta = timedelta(hours=1)
    """How long a reset link works. At most 7 days; NIST SP 800-63B-4 gives recovery codes sent by e-mail 24 hours."""
    access_cache_ttl: timedelta = timedelta(seconds=60)
    """How long the cache may answer for the store; for ``check_access``, which comes next. At most one day."""
    callback_timeout: timedelta = timedelta(seconds=10)
    """How long an asynchronous hook or callback may take before it is cancelled and logged. At most one day."""
    max_page_size: int = 100
    """Users on a page of a search, at most; 1,000 is the highest setting."""
    without_cache: Literal["refuse", "admit"] = "refuse"
    """When the cache cannot be reached: raise `CacheUnavailable`, or let everybody through without a count."""

    def __attrs_post_init__(self) -> None:
        problems = [
            Problem(name, "out_of_range", f"must be a whole number, {low}..{high}")
            for name, (low, high) in _RANGES.items()
            if not is_whole(getattr(self, name), low, high)
        ]
        problems += [
            Problem(name, "out_of_range", reason)
            for name, longest in _LONGEST.items()
            if (reason := why_no_lifetime(getattr(self, name), longest))
        ]
        if not problems and self.username_min > self.username_max:
            problems.append(Problem("username_min", "contradiction", "must not exceed username_max"))
        if self.without_cache not in ("refuse", "admit"):
            problems.append(Problem("without_cache", "unknown", "must be 'refuse' or 'admit'"))
        if not isinstance(self.blocklist, Container) or isinstance(self.blocklist, str):
            problems.append(Problem("blocklist", "invalid", "must be a container of text"))
        if self.username_scripts not in get_args(Restriction):
            expected = ", ".join(repr(level) for level in get_args(Restriction))
            problems.append(Problem("username_scripts", "unknown", f"must be one of {expected}"))
        problems += [
            Problem(name, "invalid", "must be a frozenset of text")
            for name in ("reserved_usernames", "special_domains", "dotted_domains")
            if not _is_text_set(getattr(self, name))
        ]
        problems += [
            Problem(name, "invalid", "must be domains in lower case and IDNA's ASCII form, without a dot at an end")
            for name in ("special_domains", "dotted_domains")
            if _is_text_set(getattr(self, name)) and not all(map(_is_domain, getattr(self, name)))
        ]
        if problems:
            raise InvalidPolicy(*problems)
