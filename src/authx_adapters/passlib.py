"""Password hashing through passlib (its maintained distribution, libpass)."""

from __future__ import annotations

from typing import Any, Final

from passlib.context import CryptContext
from passlib.exc import PasswordSizeError, PasswordTruncateError, PasswordValueError, UnknownHashError

from authx_adapters.hash_costs import cost_of
from authx_core.domain import checks, limits, reasons
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
_MAX_SECONDS: Final = 2.5
"""Twenty times the cost of the default scheme. bcrypt of cost 15 and 8 million rounds of PBKDF2-SHA-256 are allowed."""
_MAX_MEMORY: Final = 1024**3
"""1 GiB."""


def default_context() -> CryptContext:
    """Make the default context: Argon2id (RFC 9106, second recommended option: 64 MiB, 3 passes, 4 lanes).

    It also verifies bcrypt, scrypt, PBKDF2 and Django's formats, and reports them as outdated.
    """
    return CryptContext(schemes=_SCHEMES, deprecated="auto")


class PasslibHasher(PasswordHasher):
    """Hashes by the first scheme of a `CryptContext`, and verifies by all of them.

    Each call computes for 10–300 ms. For an event loop, wrap the hasher in `authx_adapters.threaded.Threaded`.
    """

    def __init__(
        self,
        context: CryptContext | None = None,
        *,
        max_seconds: float = _MAX_SECONDS,
        max_memory: int = _MAX_MEMORY,
    ) -> None:
        """Use ``context``, or `default_context`.

        A stored hash is `UnknownHash`, and is not computed, if verifying it would take more than ``max_seconds`` of one
        core of a server of 2024, or more than ``max_memory`` bytes. RFC 9106's first recommended option needs
        ``max_memory=2 * 1024**3``. Raises `InvalidValue` for limits that are not positive numbers.
        """
        given = {"max_seconds": max_seconds, "max_memory": max_memory}
        problems = [Problem(name, "out_of_range", "must be a number above 0") for name, n in given.items() if not n > 0]
        if problems:
            raise InvalidValue(*problems)
        self._context: Any = context or default_context()  # passlib has no types
        self._max_seconds, self._max_memory = max_seconds, max_memory

    async def hash(self, password: str, /) -> str:
        """Return a salted hash by the first scheme."""
        reason = reasons.why_not_text(password, limits.MAX_PASSWORD)
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
        """Return None if no scheme recognises the hash, or if it would cost too much."""
        if not checks.is_text(password_hash, limits.MAX_HASH) or not self._is_affordable(password_hash):
            return None
        if not checks.is_text(password, limits.MAX_PASSWORD):
            return Verification(ok=False)
        try:
            ok = bool(self._context.verify(password, password_hash))
            return Verification(ok=ok, outdated=ok and bool(self._context.needs_update(password_hash)))
        except UnknownHashError:
            return None
        except (PasswordValueError, PasswordSizeError, PasswordTruncateError):
            return Verification(ok=False)
        except (ValueError, TypeError) as error:
            too_long = "72 bytes" in str(error)  # bcrypt 5 refuses passwords that older versions cut
            return Verification(ok=False) if too_long else None

    def _is_affordable(self, password_hash: str) -> bool:
        try:
            cost = cost_of(self._context.handler(self._context.identify(password_hash)), password_hash)
        except (ValueError, TypeError, KeyError):  # the hash is of no scheme, or malformed
            return False
        return cost.within(self._max_seconds, self._max_memory)


__all__ = ["PasslibHasher", "default_context"]
