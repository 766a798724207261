"""What every password hasher promises."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import ClassVar, Final

from authx_core.contract.base import Contract
from authx_core.contract.expect import holds, raised, same
from authx_core.domain import InvalidValue, UnknownHash
from authx_core.ports import PasswordHasher

PASSWORD: Final = "correct horse battery staple"  # noqa: S105 - what `outdated` is a hash of
_PROMPT: Final = 1.0
"""Seconds within which a refusal cannot have computed anything."""


class PasswordHasherContract(Contract, ABC):
    """Clauses for a `PasswordHasher`."""

    outdated: ClassVar[str] = (
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$lUbZ8Jzij/5bOe3RDFNWB4YcFPBWi0usvNmLvSsyG7I"
    )
    """A hash of ``correct horse battery staple`` that is accepted, but by weaker parameters than the present ones."""
    excessive: ClassVar[str] = (
        "$argon2id$v=19$m=4194304,t=64,p=4$c29tZXNhbHRzb21lc2FsdA$Zm9yIHRoZSBwYXRpZW50IHJlYWRlciBvZiB0aGlz"
    )
    """A well-formed hash whose parameters would cost more than the hasher allows."""

    @abstractmethod
    async def open(self) -> PasswordHasher:
        """Return a hasher."""

    async def test_p001_right_password(self) -> None:
        """P-001: a password of any Unicode and any length in bounds verifies; one outside them is refused."""
        hasher = await self.open()
        for password in ("p", " pass\tword ", "pässwörd 😀 \u0301", "x" * 73, "é" * 128):
            verification = await hasher.verify(password, await hasher.hash(password))
            same(verification.ok, True, f"a password of {len(password)} characters did not verify with its own hash")
            same(verification.outdated, False, "a new hash was called outdated")
        for password in ("nul\0", "lone\ud800"):
            await raised(InvalidValue, hasher.hash(password), "a password with NUL or a lone surrogate was hashed")

    async def test_p002_no_two_hashes_equal(self) -> None:
        """P-002: no two hashes of one password are equal, and none holds it."""
        hasher = await self.open()
        hashes = {await hasher.hash(PASSWORD) for _ in range(2)}
        same(len(hashes), 2, "hashing one password twice gave one hash: it is not salted")
        holds(all(PASSWORD not in each for each in hashes), "a hash holds the password in clear")

    async def test_p003_last_character_counts(self) -> None:
        """P-003: a difference in the last character fails, beyond 72 bytes too."""
        hasher = await self.open()
        for start in ("short", "x" * 100):
            password_hash = await hasher.hash(start + "a")
            for wrong in (start + "b", start, start + "aa"):
                verification = await hasher.verify(wrong, password_hash)
                same(verification.ok, False, f"a wrong password of {len(wrong)} characters verified: it was cut")

    async def test_p004_unknown_hash(self) -> None:
        """P-004: an unknown, empty or corrupt hash is `UnknownHash`."""
        hasher = await self.open()
        real = await hasher.hash(PASSWORD)
        corrupt = real[: len(real) // 2]
        for unknown in ("", " ", PASSWORD, "$", "$nobody$1$abc", "!", corrupt, "$argon2id$v=19$m=x$a$b", "\ud800"):
            await raised(UnknownHash, hasher.verify(PASSWORD, unknown), f"the hash {unknown!r:.20} is no hash")

    async def test_p005_outdated(self) -> None:
        """P-005: outdated parameters are reported, and only there."""
        hasher = await self.open()
        verification = await hasher.verify(PASSWORD, self.outdated)
        same((verification.ok, verification.outdated), (True, True), "an outdated hash was not reported")
        same((await hasher.verify("wrong", self.outdated)).ok, False, "a wrong password verified with an outdated hash")

    async def test_p007_excessive_parameters(self) -> None:
        """P-007: parameters beyond bounds are refused uncomputed."""
        hasher = await self.open()
        await hasher.verify(PASSWORD, self.outdated)
        start = time.monotonic()
        await raised(UnknownHash, hasher.verify(PASSWORD, self.excessive), "parameters beyond bounds were computed")
        holds(time.monotonic() - start < _PROMPT, "the refusal took so long that the hash was computed after all")
