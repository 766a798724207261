"""A correct password hasher that costs nothing, and broken ones."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import os
import time
import unicodedata
from typing import ClassVar

from authx_core.domain import InvalidValue, Overloaded, Problem, UnknownHash, limits, reasons
from authx_core.ports import PasswordHasher, Verification
from zoo.machinery.registry import mutant


class Pbkdf2(PasswordHasher):
    """``$pbkdf2$rounds$salt$digest``, with few rounds: insecure, but it keeps the contract."""

    rounds: ClassVar[int] = 2
    most: ClassVar[int] = 1000

    async def hash(self, password: str, /) -> str:
        if reason := reasons.why_not_text(password, limits.MAX_PASSWORD):
            raise InvalidValue(Problem("password", "invalid", reason))
        return self.written(self.prepared(password), self.rounds, self.salt())

    async def verify(self, password: str, password_hash: str, /) -> Verification:
        rounds, salt = self.parsed(password_hash)
        try:
            computed = self.written(self.prepared(password), rounds, salt)
        except UnicodeEncodeError:
            return Verification(ok=False)
        ok = self.equal(computed, password_hash)
        return Verification(ok=ok, outdated=ok and self.outdated(rounds))

    def salt(self) -> bytes:
        return os.urandom(16)

    def prepared(self, password: str) -> bytes:
        return password.encode()

    def written(self, password: bytes, rounds: int, salt: bytes) -> str:
        digest = hashlib.pbkdf2_hmac("sha256", password, salt, rounds)
        return f"$pbkdf2${rounds}${base64.b64encode(salt).decode()}${digest.hex()}"

    def parsed(self, password_hash: str) -> tuple[int, bytes]:
        match password_hash.split("$"):
            case ["", "pbkdf2", rounds, salt, digest] if rounds.isdecimal() and len(digest) == 64:
                if self.affordable(int(rounds)):
                    try:
                        return int(rounds), base64.b64decode(salt, validate=True)
                    except binascii.Error:
                        pass
        raise UnknownHash

    def affordable(self, rounds: int) -> bool:
        return 1 <= rounds <= self.most

    def outdated(self, rounds: int) -> bool:
        return rounds != self.rounds

    def equal(self, computed: str, stored: str) -> bool:
        return hmac.compare_digest(computed, stored)


@mutant("P-001", "passwords are normalised when they are hashed, but not when they are verified")
class NormalisedOneWay(Pbkdf2):
    async def hash(self, password: str, /) -> str:
        return await super().hash(unicodedata.normalize("NFC", password))


@mutant("P-001", "passwords are trimmed only when they are verified")
class TrimmedOneWay(Pbkdf2):
    async def verify(self, password: str, password_hash: str, /) -> Verification:
        return await super().verify(password.strip(), password_hash)


@mutant("P-001", "passwords are encoded as Latin-1")
class Latin1(Pbkdf2):
    def prepared(self, password: str) -> bytes:
        return password.encode("latin-1")


@mutant("P-001", "a lone surrogate is hashed as a question mark")
class SurrogateReplaced(Pbkdf2):
    async def hash(self, password: str, /) -> str:
        return await super().hash(password.encode("utf-8", "replace").decode())


@mutant("P-001", "every hash is outdated")
class AlwaysOutdated(Pbkdf2):
    def outdated(self, rounds: int) -> bool:
        return True


@mutant("P-002", "no salt")
class Unsalted(Pbkdf2):
    def salt(self) -> bytes:
        return b""


@mutant("P-002", "all hashes have the same salt")
class OneSalt(Pbkdf2):
    def salt(self) -> bytes:
        return b"authx"


@mutant("P-002", "the hash ends with the password, for support")
class HoldsThePassword(Pbkdf2):
    async def hash(self, password: str, /) -> str:
        return f"{await super().hash(password)}|{password}"

    async def verify(self, password: str, password_hash: str, /) -> Verification:
        return await super().verify(password, password_hash.partition("|")[0])


@mutant("P-003", "passwords are cut at 72 bytes, as bcrypt does")
class CutAt72(Pbkdf2):
    def prepared(self, password: str) -> bytes:
        return password.encode()[:72]


@mutant("P-003", "passwords are compared without regard to case")
class CaseFolded(Pbkdf2):
    def prepared(self, password: str) -> bytes:
        return password.casefold().encode()


@mutant("P-003", "passwords are cut at 128 bytes, and trailing letters a are dropped")
class Padded(Pbkdf2):
    def prepared(self, password: str) -> bytes:
        return password.encode()[:128].rstrip(b"a")


@mutant("P-004", "a stored text that is no hash is compared as plain text")
class ClearText(Pbkdf2):
    async def verify(self, password: str, password_hash: str, /) -> Verification:
        if not password_hash.startswith("$"):
            return Verification(ok=password == password_hash, outdated=True)
        return await super().verify(password, password_hash)


@mutant("P-004", "an empty hash is a wrong password instead of UnknownHash")
class EmptyIsWrong(Pbkdf2):
    async def verify(self, password: str, password_hash: str, /) -> Verification:
        return await super().verify(password, password_hash) if password_hash else Verification(ok=False)


@mutant("P-004", "a truncated digest is compared by its beginning")
class PrefixCompared(Pbkdf2):
    def parsed(self, password_hash: str) -> tuple[int, bytes]:
        return super().parsed(password_hash.ljust(64 + password_hash.rfind("$") + 1, "0"))

    def equal(self, computed: str, stored: str) -> bool:
        return computed.startswith(stored)


@mutant("P-005", "outdated parameters are not reported")
class NeverOutdated(Pbkdf2):
    def outdated(self, rounds: int) -> bool:
        return False


@mutant("P-005", "any password fits an outdated hash, so that it can be renewed")
class OutdatedFitsAll(Pbkdf2):
    async def verify(self, password: str, password_hash: str, /) -> Verification:
        verification = await super().verify(password, password_hash)
        old = self.outdated(self.parsed(password_hash)[0])
        return Verification(ok=True, outdated=True) if old else verification


@mutant("P-006", "a cancelled verification never frees its place in the queue")
class PlacesLost(Pbkdf2):
    def __init__(self) -> None:
        self.places = 2

    async def verify(self, password: str, password_hash: str, /) -> Verification:
        if not self.places:
            raise Overloaded("the queue is full")
        self.places -= 1
        await asyncio.sleep(0)
        self.places += 1
        return await super().verify(password, password_hash)


@mutant("P-007", "excessive parameters are not refused, and the computation is stopped after a while")
class Unbounded(Pbkdf2):
    def affordable(self, rounds: int) -> bool:
        return True

    def written(self, password: bytes, rounds: int, salt: bytes) -> str:
        return super().written(password, min(rounds, 1_000), salt)


@mutant("P-007", "excessive parameters are refused only after the computation")
class RefusedLate(Pbkdf2):
    def affordable(self, rounds: int) -> bool:
        if not super().affordable(rounds):
            time.sleep(1.1)  # stands for the computation
        return super().affordable(rounds)
