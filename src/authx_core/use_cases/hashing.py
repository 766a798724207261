"""Password hashes: new ones, and those that an application brings along."""

from __future__ import annotations

from authx_core.domain.errors import InvalidUser, Problem, UnknownHash
from authx_core.domain.password import PreparedPassword
from authx_core.domain.secret import Secret
from authx_core.ports import PasswordHasher


async def hashed(password: PreparedPassword, *, hasher: PasswordHasher) -> Secret:
    """Hash a password by the current scheme."""
    return Secret(await hasher.hash(password.reveal()))


async def check_hash(password_hash: Secret, *, hasher: PasswordHasher) -> None:
    """Raise `InvalidUser` for a hash that the hasher cannot verify, or that of the empty password."""
    try:
        of_nothing = await hasher.verify("", password_hash.reveal())
    except UnknownHash:
        reason = "is no hash of an accepted scheme: give a password in clear as `password`"
        raise InvalidUser(Problem("password_hash", "unknown_hash", reason)) from None
    if of_nothing.ok:
        raise InvalidUser(Problem("password_hash", "empty", "is the hash of the empty password"))
