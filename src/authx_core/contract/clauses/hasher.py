"""What every password hasher promises."""

from __future__ import annotations

import time
from typing import Final

from authx_core.contract.clause import clause
from authx_core.contract.expect import holds, raised, same
from authx_core.contract.trial import Trial
from authx_core.domain import InvalidValue, UnknownHash

PASSWORD: Final = "correct horse battery staple"  # noqa: S105 - what `outdated` is a hash of
_PROMPT: Final = 1.0
"""Seconds within which a refusal cannot have computed anything."""


"""Clauses for a `PasswordHasher`."""


@clause(
    "P-001",
    means="A person with an unusual password cannot log in, or anybody can with a short form of it.",
    cause="The password is encoded, normalised or cut on one of the two ways only.",
)
async def right_password(trial: Trial) -> None:
    """A password of any Unicode and any length in bounds verifies; one outside them is refused."""
    hasher = await trial.hasher()
    for password in ("p", " pass\tword ", "pässwörd 😀 \u0301", "x" * 73, "é" * 128):
        verification = await hasher.verify(password, await hasher.hash(password))
        same(verification.ok, True, f"a password of {len(password)} characters did not verify with its own hash")
        same(verification.outdated, False, "a new hash was called outdated")
    for password in ("nul\0", "lone\ud800"):
        await raised(InvalidValue, hasher.hash(password), "a password with NUL or a lone surrogate was hashed")


@clause(
    "P-002",
    means="Whoever steals the database sees who shares a password, and attacks all at once.",
    cause="No salt, or a constant one.",
)
async def no_two_hashes_equal(trial: Trial) -> None:
    """No two hashes of one password are equal, and none holds it."""
    hasher = await trial.hasher()
    hashes = {await hasher.hash(PASSWORD) for _ in range(2)}
    same(len(hashes), 2, "hashing one password twice gave one hash: it is not salted")
    holds(all(PASSWORD not in each for each in hashes), "a hash holds the password in clear")


@clause(
    "P-003",
    means="A long password is only as good as its first 72 bytes.",
    cause="bcrypt cuts at 72 bytes: hash by SHA-256 first, or use Argon2.",
)
async def last_character_counts(trial: Trial) -> None:
    """A difference in the last character fails, beyond 72 bytes too."""
    hasher = await trial.hasher()
    for start in ("short", "x" * 100):
        password_hash = await hasher.hash(start + "a")
        for wrong in (start + "b", start, start + "aa"):
            verification = await hasher.verify(wrong, password_hash)
            same(verification.ok, False, f"a wrong password of {len(wrong)} characters verified: it was cut")


@clause(
    "P-004",
    means="A damaged account fails with an error page, or looks like a wrong password for ever.",
    cause="The library's own error leaves the adapter, or is taken for False.",
)
async def unknown_hash(trial: Trial) -> None:
    """An unknown, empty or corrupt hash is `UnknownHash`."""
    hasher = await trial.hasher()
    real = await hasher.hash(PASSWORD)
    corrupt = real[: len(real) // 2]
    for unknown in ("", " ", PASSWORD, "$", "$nobody$1$abc", "!", corrupt, "$argon2id$v=19$m=x$a$b", "\ud800"):
        await raised(UnknownHash, hasher.verify(PASSWORD, unknown), f"the hash {unknown!r:.20} is no hash")


@clause(
    "P-005",
    needs=["outdated hash"],
    means="Passwords stay hashed as weakly as ten years ago.",
    cause="`needs_update`, or its like, is not asked.",
)
async def outdated(trial: Trial) -> None:
    """Outdated parameters are reported, and only there."""
    hasher = await trial.hasher()
    verification = await hasher.verify(PASSWORD, str(trial.harness.outdated_hash))
    same((verification.ok, verification.outdated), (True, True), "an outdated hash was not reported")
    same(
        (await hasher.verify("wrong", str(trial.harness.outdated_hash))).ok,
        False,
        "a wrong password verified with an outdated hash",
    )


@clause(
    "P-007",
    needs=["excessive hash"],
    means="One planted hash stops the machine at each login.",
    cause="The parameters of a stored hash are believed without bounds.",
)
async def excessive_parameters(trial: Trial) -> None:
    """Parameters beyond bounds are refused uncomputed."""
    hasher = await trial.hasher()
    await hasher.verify(PASSWORD, str(trial.harness.outdated_hash))
    start = time.monotonic()
    await raised(
        UnknownHash,
        hasher.verify(PASSWORD, str(trial.harness.excessive_hash)),
        "parameters beyond bounds were computed",
    )
    holds(time.monotonic() - start < _PROMPT, "the refusal took so long that the hash was computed after all")
