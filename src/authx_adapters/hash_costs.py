"""The cost of verifying a stored hash, estimated from its parameters before anything is computed.

An attacker who can plant a hash, by an import or by stolen write access, must not be able to stop the machine at each
login. A limit on each parameter is not enough: one pass of Argon2 may use 1 GiB, and 64 passes may use 1 MiB, but 64
passes of 1 GiB take a minute.
"""

from __future__ import annotations

from typing import Any, Final

import attrs

_KIB: Final = 1024
_LANES: Final = 64
"""Threads that one verification may start."""

_ARGON2: Final = 1e-6
"""Seconds for each KiB of memory and pass."""
_BCRYPT: Final = 63e-6
"""Seconds for each of 2^cost rounds, also for other schemes whose rounds are a power of two."""
_SCRYPT: Final = 0.35e-6
"""Seconds for each unit of N · r · p."""
_ROUND: Final = {"pbkdf2_sha1": 0.29e-6, "pbkdf2_sha256": 0.28e-6, "pbkdf2_sha512": 0.65e-6}
_OTHER_ROUND: Final = 1e-6
"""Seconds for each round. All figures were measured on one core of a server of 2024; they need to be right within a
factor of a few."""


@attrs.frozen
class Cost:
    """Processor time in seconds on one core, memory in bytes, and threads."""

    seconds: float
    memory: int = 0
    lanes: int = 1

    def within(self, seconds: float, memory: int) -> bool:
        """Whether the cost is at most this many seconds and bytes."""
        return self.seconds <= seconds and self.memory <= memory and self.lanes <= _LANES


def cost_of(handler: Any, password_hash: str) -> Cost:
    """Return the cost of a hash of passlib's scheme ``handler``. Raises `ValueError` for a malformed hash."""
    unwrapped = getattr(handler, "wrapped", None)
    if unwrapped is not None:  # Django's format around the hash of another scheme
        return cost_of(unwrapped, handler._unwrap_hash(password_hash))  # noqa: SLF001 - passlib has no public way
    hash_: Any = handler.from_string(password_hash)
    rounds: int = getattr(hash_, "rounds", 0) or 0
    if hasattr(hash_, "memory_cost"):
        return Cost(hash_.memory_cost * rounds * _ARGON2, hash_.memory_cost * _KIB, hash_.parallelism)
    if hasattr(hash_, "block_size"):
        blocks = 2**rounds * hash_.block_size
        return Cost(blocks * hash_.parallelism * _SCRYPT, 128 * blocks)
    if getattr(hash_, "rounds_cost", None) == "log2":
        return Cost(2**rounds * _BCRYPT)
    return Cost(rounds * _ROUND.get(handler.name.removeprefix("django_"), _OTHER_ROUND))
