"""The clauses of a password hasher."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any, Final

from authx_contract.basics.expect import holds, raised, same
from authx_contract.basics.threads import in_thread
from authx_contract.basics.violation import Violation
from authx_contract.clause import clause
from authx_contract.never_suspends import NeverSuspends
from authx_contract.probes.cancelled import cancelled_or_done, promptly
from authx_contract.probes.sweep import sweep
from authx_contract.trial import Trial
from authx_core.blocking import run
from authx_core.domain import InvalidValue, Overloaded, UnknownHash
from authx_core.ports import PasswordHasher

PASSWORD: Final = "correct horse battery staple"  # noqa: S105 - the password of `Harness.outdated_hash`
_AT_ONCE: Final = 4
_FLOOD: Final = 1200
"""Concurrent calls: more than the queue of `Threaded` takes."""
_PROMPT: Final = 1.0
"""Seconds in which an excessive hash cannot be computed."""


@clause(
    "P-001",
    means="A person with an unusual password cannot log in, or anybody can with a short form of it.",
    cause="The password is encoded, normalised or cut on one of the two ways only.",
)
async def right_password(trial: Trial) -> None:
    """A password of any Unicode and any length in bounds verifies; one outside them is refused."""
    hasher = await trial.hasher()
    for password in ("p", " pass\tword ", "pässwörd 😀 e\u0301 ﬁ", "x" * 73, "é" * 128):
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
        for wrong in (start + "b", start + "A", start, start + "aa"):
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
        await raised(UnknownHash, hasher.verify(PASSWORD, unknown), f"{unknown!r:.20} was taken for a hash")


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
    "P-006",
    level=2,
    kind="crash",
    means="After a wave of logins, or of people who did not wait, nobody can log in until a restart.",
    cause="A place in the queue or a thread that is not given back when a caller is cancelled or refused.",
)
async def usable(trial: Trial) -> None:
    """Cancellation and overload leave the hasher usable; overload is `Overloaded` and nothing else."""
    hasher = await trial.hasher()
    password_hash = await hasher.hash(PASSWORD)
    async for cut in sweep(lambda: hasher.hash(PASSWORD), landing=0):
        cancelled_or_done(cut, "hash")
        await _verifies(hasher, password_hash)
    async for cut in sweep(lambda: hasher.verify(PASSWORD, password_hash), landing=0):
        cancelled_or_done(cut, "verify")
        await _verifies(hasher, password_hash)
    if isinstance(hasher, NeverSuspends):
        calls = [in_thread(lambda: run(hasher.hash(PASSWORD))) for _ in range(_AT_ONCE)]
        _hashed_or_refused(await asyncio.gather(*calls, return_exceptions=True))
    else:
        await _flooded(hasher)
        await _abandoned(lambda: hasher.hash(PASSWORD))
        await _abandoned(lambda: hasher.verify(PASSWORD, password_hash))
    await _verifies(hasher, password_hash)


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


async def _flooded(hasher: PasswordHasher) -> None:
    """Make more calls at once than any queue takes; when some are done, cancel the others."""
    tasks = [asyncio.create_task(hasher.hash(PASSWORD)) for _ in range(_FLOOD)]
    try:
        for done in [task async for task in _first(tasks, 2)]:
            _hashed_or_refused([done.exception() or done.result()])
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    _hashed_or_refused([each for each in results if not isinstance(each, asyncio.CancelledError)])


async def _abandoned(call: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Start more calls than there are places, and cancel all of them at once."""
    tasks = [asyncio.create_task(call()) for _ in range(_FLOOD)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _first(tasks: list[asyncio.Task[str]], number: int) -> AsyncGenerator[asyncio.Task[str], None]:
    """Yield tasks as they end, until this many have not been refused."""
    left = set(tasks)
    while left and number > 0:
        done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            number -= task.exception() is None
            yield task


def _hashed_or_refused(results: Sequence[str | BaseException]) -> None:
    for each in results:
        if isinstance(each, BaseException) and not isinstance(each, Overloaded):
            text = f"{type(each).__name__}: {each}"
            raise Violation("a call among many was neither answered nor `Overloaded`", raised=text) from each


async def _verifies(hasher: PasswordHasher, password_hash: str) -> None:
    verification = await promptly(hasher.verify(PASSWORD, password_hash), "after cancellation or overload")
    same(verification.ok, True, "the right password does not verify after cancellation or overload")
