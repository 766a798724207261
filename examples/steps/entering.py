"""Logging in, and attempts to break in."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from authx_core import BruteForceDetected, TooManyAttempts, UsersRepo
from stage import HOME, fresh, ids, typed, wide, with_password, with_scheme

if TYPE_CHECKING:
    from stage import Stage

SECOND: Final = timedelta(seconds=1)


async def log_in(users: UsersRepo, stage: Stage) -> None:
    """Show that any spelling of an address or a username finds its owner."""
    report = stage.report
    latin = stage.cast(lambda p: with_password(p) and p.username.isascii() and p.email.isascii())[0]
    beyond = stage.cast(
        lambda p: with_password(p) and not p.username.isascii() and p.username != p.username.swapcase()
    )[0]
    for claim, person, login in (
        ("an address in another case logs in", latin, latin.email.swapcase()),
        ("a username in another case logs in", latin, latin.username.swapcase()),
        ("a username in full-width letters logs in", latin, wide(latin.username)),
        ("a username beyond ASCII in another case logs in", beyond, beyond.username.swapcase()),
    ):
        user = await users.authenticate(login, person.password, ip=HOME)
        report.equal(f"{claim}: {login}", [stage.id(person)], ids(user))
    user = await users.authenticate(latin.email, latin.password.swapcase(), ip=HOME)
    report.equal("the password in another case is wrong", None, user)
    report.equal("an unknown login finds no user", None, await users.authenticate("nobody.at.all", typed(), ip=HOME))
    user = await users.update_last_login(stage.id(latin))
    report.equal("the login is recorded with the time of the clock", stage.clock.now(), user.last_login)


async def upgrade(users: UsersRepo, stage: Stage) -> None:
    """Show that a hash from an older system is replaced when its owner logs in."""
    for scheme in ("bcrypt", "django"):
        owners = stage.cast(partial(with_scheme, scheme), 3)
        for person in owners:
            wrong = await users.authenticate(person.email, typed(), ip="192.0.2.8")
            right = await users.authenticate(person.email, person.password, ip="192.0.2.8")
            again = await users.authenticate(person.username, person.password, ip="192.0.2.8")
            claim = f"{person.email} logs in with the {scheme} hash, twice"
            stage.report.equal(claim, [None, stage.id(person), stage.id(person)], ids(wrong, right, again))
        renewed = [(await fresh(users, stage.id(person))).password_hash for person in owners]
        schemes = {secret and secret.reveal()[:10] for secret in renewed}
        stage.report.equal(f"all three {scheme} hashes are Argon2id now", {"$argon2id$"}, schemes)


async def attack_on_an_account(users: UsersRepo, stage: Stage) -> None:
    """Show that guesses from any client lock one login for a while, and no other."""
    report, policy = stage.report, users.policy
    victim, other = stage.cast(with_password, 2, start=4)
    guesses = [
        partial(users.authenticate, victim.email, typed(), ip=f"198.51.100.{n}") for n in range(policy.login_max * 2)
    ]
    outcomes = await stage.at_once(guesses)
    counts = (outcomes.count(None), sum(isinstance(outcome, TooManyAttempts) for outcome in outcomes))
    report.equal("ten of twenty guesses at once, from twenty clients, are checked", (policy.login_max,) * 2, counts)
    right = partial(users.authenticate, victim.email.swapcase(), victim.password, ip="203.0.113.1")
    claim = "now the right password is refused too, in any spelling of the login"
    await report.refused(claim, TooManyAttempts, right())
    report.equal("the attack was published once", 1, stage.letters.count(BruteForceDetected))
    user = await users.authenticate(other.email, other.password, ip="203.0.113.1")
    report.equal("another user can log in meanwhile", [stage.id(other)], ids(user))
    stage.clock.advance(policy.login_timeout - SECOND)
    await report.refused("a second before the window ends it is still locked", TooManyAttempts, right())
    stage.clock.advance(SECOND)
    user = await right()
    report.equal("refused attempts did not prolong the lock: the owner logs in again", [stage.id(victim)], ids(user))


async def attack_from_a_client(users: UsersRepo, stage: Stage) -> None:
    """Show that a client that tries many logins is locked, and that its /64 counts as one client."""
    report, policy = stage.report, users.policy
    person = stage.cast(with_password, start=8)[0]
    limit = policy.login_client_max
    tries = [await users.is_bruteforce(f"2001:db8:0:1::{n:x}", f"guess-{n}") for n in range(limit)]
    report.equal(f"{limit} logins are attempted from {limit} addresses of one /64", [False] * limit, tries)
    call = partial(users.authenticate, person.email, person.password)
    await report.refused(
        "the next attempt from there is refused, even with the right password",
        TooManyAttempts,
        call(ip="2001:db8:0:1:ffff::1"),
    )
    report.equal("from the next /64 the same person logs in", [stage.id(person)], ids(await call(ip="2001:db8:0:2::1")))
    stage.clock.advance(policy.login_client_timeout)
    user = await call(ip="2001:db8:0:1:ffff::1")
    report.equal("after the window the client may try again", [stage.id(person)], ids(user))
