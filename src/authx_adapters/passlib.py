"""Password hashing through passlib (its maintained distribution, libpass)."""

from __future__ import annotations

import re
from typing import Any, Final

from passlib.context import CryptContext
from passlib.exc import PasswordSizeError, PasswordTruncateError, PasswordValueError, UnknownHashError

from authx_adapters.threaded import Threaded
from authx_core.domain import checks
from authx_core.domain.errors import InvalidValue, Problem, UnknownHash
from authx_core.ports import PasswordHasher, Verification

_SCHEMES: Final = [
    "argon2",
    "bcrypt_sha256",
    "bcrypt",
    "scrypt",
    "pbkdf2_sha512",
    "pbkdf2_sha256",
    "pbkdf2_sha1",
    "django_argon2",
    "django_bcrypt_sha256",
    "django_bcrypt",
    "django_pbkdf2_sha256",
    "django_pbkdf2_sha1",
]
_LIMITS: Final = (
    (re.compile(r"\$m=(\d+)"), 1024 * 1024),  # Argon2 memory in KiB: 1 GiB
    (re.compile(r"[$,]t=(\d+)"), 64),  # Argon2 passes
    (re.compile(r",p=(\d+)"), 64),  # lanes
    (re.compile(r"\$ln=(\d+)"), 20),  # scrypt, log2 of N
    (re.compile(r",r=(\d+)"), 64),
    (re.compile(r"\$2[abxy]?\$(\d+)"), 16),  # bcrypt, log2 of rounds
    (re.compile(r",r=(\d+)\$"), 16),
    (re.compile(r"pbkdf2[-_]sha\d+\$(\d+)|pbkdf2\$(\d+)"), 10_000_000),
)
"""What a stored hash may cost at most to verify: one that was planted must not stop the machine."""


def default_context() -> CryptContext:
    """Make the default context: Argon2id (RFC 9106, second recommended option: 64 MiB, 3 passes, 4 lanes).

    bcrypt, scrypt, PBKDF2 and Django's formats verify too, and are reported as outdated.
    """
    return CryptContext(schemes=_SCHEMES, deprecated="auto")


class PasslibHasher(PasswordHasher):
    """Hashes by the first scheme of a `CryptContext`; verifies by all of them. Blocks for 10–300 ms: see `Threaded`."""

    def __init__(self, context: CryptContext | None = None) -> None:
        """Use ``context``, or `default_context`."""
        self._context: Any = context or default_context()  # passlib has no types

    async def hash(self, password: str, /) -> str:
        """Return a salted hash by the first scheme."""
        reason = checks.text(password, checks.MAX_CACHE_VALUE)
        if reason is None:
            try:
                return str(self._context.hash(password))
            except (PasswordValueError, PasswordSizeError, PasswordTruncateError):
                reason = "cannot be hashed by this scheme"
        del password  # so that no traceback with locals shows it
        raise InvalidValue(Problem("password", "invalid", reason))

    async def verify(self, password: str, password_hash: str, /) -> Verification:
        """Compare a password with a hash of any accepted scheme."""
        result = self._verify(password, password_hash)
        del password, password_hash
        if result is None:
            raise UnknownHash
        return result

    def _verify(self, password: str, password_hash: str) -> Verification | None:
        """Return None for a hash that no scheme recognises, or that would cost too much."""
        if not checks.is_text(password_hash, checks.MAX_HASH) or not _affordable(password_hash):
            return None
        if not checks.is_text(password, checks.MAX_CACHE_VALUE):
            return Verification(ok=False)
        try:
            ok = bool(self._context.verify(password, password_hash))
            return Verification(ok=ok, outdated=ok and bool(self._context.needs_update(password_hash)))
        except UnknownHashError:
            return None
        except (PasswordValueError, PasswordSizeError, PasswordTruncateError):
            return Verification(ok=False)
        except (ValueError, TypeError) as error:
            too_long = "72 bytes" in str(error)  # bcrypt 5 refuses what older ones cut
            return Verification(ok=False) if too_long else None


def _affordable(password_hash: str) -> bool:
    return all(
        int(next(number for number in match.groups() if number)) <= limit
        for pattern, limit in _LIMITS
        for match in pattern.finditer(password_hash)
    )


__all__ = ["PasslibHasher", "Threaded", "default_context"]
