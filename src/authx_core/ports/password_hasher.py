"""The port for hashing passwords."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol, runtime_checkable

import attrs


@attrs.frozen
class Verification:
    """The result of a comparison: whether the password is right, and whether its hash should be renewed."""

    ok: bool
    outdated: bool = False


@runtime_checkable
class PasswordHasher(Protocol):
    """Hashes and verifies passwords. Either method may raise `Overloaded` when a bounded queue is full."""

    @abstractmethod
    async def hash(self, password: str, /) -> str:
        """Return a salted hash by the current scheme. Raises `InvalidValue` for NUL or a lone surrogate."""

    @abstractmethod
    async def verify(self, password: str, password_hash: str, /) -> Verification:
        """Compare a password with a hash of any accepted scheme.

        Raises `UnknownHash` for a hash that no scheme recognises, that is corrupt, or whose parameters would
        cost more than the hasher allows.
        """
