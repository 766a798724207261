"""The numbers an application may set, with safe defaults and their sources."""

from __future__ import annotations

from collections.abc import Container
from datetime import timedelta
from typing import Final, Literal

import attrs

from authx_core.domain.checks import MAX_LIFETIME, MAX_LIMIT, MAX_NAME, is_whole
from authx_core.domain.common_passwords import common_passwords
from authx_core.domain.errors import InvalidPolicy, Problem

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

_RANGES: Final = {
    "password_min": (8, 64),  # NIST SP 800-63B-4: never fewer than 8
    "password_max": (64, 1024),  # … and at least 64 permitted
    "password_max_bytes": (256, 4096),
    "username_min": (1, MAX_NAME),
    "username_max": (1, MAX_NAME),
    "login_client_max": (1, 1_000_000),
    "login_max": (1, 1_000_000),
    "confirmation_max": (1, 1_000_000),
    "reset_max": (1, 1_000_000),
    "max_page_size": (1, MAX_LIMIT),
}


@attrs.frozen(kw_only=True)
class Policy:
    """Limits and lifetimes. All that contradicts itself is refused together, as `InvalidPolicy`."""

    password_min: int = 15
    """Code points after NFC. NIST SP 800-63B-4, section 3.1.1.2: 15 for a single factor; 8 beside a second one."""
    password_max: int = 128
    password_max_bytes: int = 1024
    """Octets in UTF-8, checked before anything else is done with a password."""
    blocklist: Container[str] = attrs.field(factory=common_passwords, repr=False)
    """Case-folded passwords that are refused."""
    username_min: int = 3
    """Code points of the canonical key."""
    username_max: int = 32
    reserved_usernames: frozenset[str] = _RESERVED
    """Canonical keys that nobody may take (RFC 2142 and its kin)."""
    login_client_max: int = 30
    login_client_timeout: timedelta = timedelta(minutes=1)
    login_max: int = 10
    """Attempts for one login; NIST SP 800-63B-4, section 3.2.2, allows at most 100 in a row."""
    login_timeout: timedelta = timedelta(minutes=15)
    confirmation_max: int = 2
    confirmation_timeout: timedelta = timedelta(minutes=30)
    confirmation_lifetime: timedelta = timedelta(hours=24)
    reset_max: int = 2
    reset_timeout: timedelta = timedelta(minutes=30)
    reset_lifetime: timedelta = timedelta(hours=1)
    access_cache_ttl: timedelta = timedelta(seconds=60)
    max_page_size: int = 100
    without_cache: Literal["refuse", "admit"] = "refuse"
    """What a limit does when the cache cannot be reached: raise `CacheUnavailable`, or let everybody through."""

    def __attrs_post_init__(self) -> None:
        problems = [
            Problem(name, "out_of_range", f"must be a whole number, {low}..{high}")
            for name, (low, high) in _RANGES.items()
            if not is_whole(getattr(self, name), low, high)
        ]
        problems += [
            Problem(field.name, "out_of_range", "must be a timedelta from one millisecond to ten years")
            for field in attrs.fields(type(self))
            if isinstance(field.default, timedelta)
            and not (
                isinstance(span := getattr(self, field.name), timedelta)
                and timedelta(milliseconds=1) <= span <= MAX_LIFETIME
            )
        ]
        if not problems and self.username_min > self.username_max:
            problems.append(Problem("username_min", "contradiction", "must not exceed username_max"))
        if self.without_cache not in ("refuse", "admit"):
            problems.append(Problem("without_cache", "unknown", "must be 'refuse' or 'admit'"))
        if not isinstance(self.blocklist, Container) or isinstance(self.blocklist, str):
            problems.append(Problem("blocklist", "invalid", "must be a container of text"))
        if not isinstance(self.reserved_usernames, frozenset):
            problems.append(Problem("reserved_usernames", "invalid", "must be a frozenset of text"))
        if problems:
            raise InvalidPolicy(*problems)
