"""Links that are sent by e-mail."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

from authx_core import EmailConfirmationRequested, InvalidPassword, InvalidToken, User, UsersRepo
from stage import HOME, fresh, ids, invited, losers, typed, winners, with_password

if TYPE_CHECKING:
    from stage import Stage


async def confirm(users: UsersRepo, stage: Stage) -> None:
    """Show that a link sent by e-mail confirms an address."""
    report, policy = stage.report, users.policy
    person, mover = stage.cast(lambda p: invited(p) and not p.new.confirmed, 2)
    asked = [await users.is_email_confirmation_available(stage.id(person)) for _ in range(policy.confirmation_max + 1)]
    report.equal("the link can be requested up to its limit", [True] * policy.confirmation_max + [False], asked)
    stage.clock.advance(policy.confirmation_timeout)
    report.true("and again after the window", await users.is_email_confirmation_available(stage.id(person)))

    await users.request_email_confirmation(person.email.swapcase())
    token = stage.letters.token()
    twice = [await users.confirm_email(token), await users.confirm_email(token)]
    report.equal("the link confirms, and confirming again is no error", [True, True], twice)
    report.true("the address is confirmed", (await fresh(users, stage.id(person))).confirmed)
    made_up = await users.confirm_email(secrets.token_urlsafe(32))
    report.equal("a made-up link does nothing", expected=False, actual=made_up)

    letters = stage.letters.count(EmailConfirmationRequested)
    unknown = await users.request_email_confirmation("nobody.at.all@example.com")
    report.equal("an unknown address gets a token that looks the same", len(token), len(unknown))
    report.equal("but no letter is sent", letters, stage.letters.count(EmailConfirmationRequested))

    await users.request_email_confirmation(mover.email)
    await users.update(stage.id(mover), {"email": "moved.away@example.net"})
    moved = await users.confirm_email(stage.letters.token())
    report.equal("a link to a former address does nothing", expected=False, actual=moved)
    await users.request_email_confirmation("moved.away@example.net")
    stage.clock.advance(policy.confirmation_lifetime)
    late = await users.confirm_email(stage.letters.token())
    report.equal("an expired link does nothing", expected=False, actual=late)


async def forget_and_reset(users: UsersRepo, stage: Stage) -> None:
    """Show that a reset link sets one new password."""
    report, policy = stage.report, users.policy
    person = stage.cast(with_password, start=10)[0]
    me = stage.id(person)
    asked = [await users.is_password_reset_available(me) for _ in range(policy.reset_max + 1)]
    report.equal("the link can be requested up to its limit", [True] * policy.reset_max + [False], asked)

    token = secrets.token_urlsafe(32)
    await users.set_password_reset_token(me, token)
    looks = [await users.get_id_for_password_reset(stage.letters.token()) for _ in range(3)]
    report.equal("looking up the link, as mail scanners do, does not spend it", [me] * 3, looks)
    await report.refused("a weak password is refused", InvalidPassword, users.reset_password(token, "short"))
    report.equal("and the link still works", me, await users.get_id_for_password_reset(token))

    before = await fresh(users, me)
    passwords = [typed(f"try {n}") for n in range(20)]
    outcomes = await stage.at_once([partial(users.reset_password, token, password) for password in passwords])
    result = (winners(outcomes), losers(outcomes))
    report.equal("used twenty times at once, the link works once", (1, {"InvalidToken"}), result)
    await report.refused("used again, it is refused", InvalidToken, users.reset_password(token, typed()))
    won = next((word for word, outcome in zip(passwords, outcomes, strict=True) if isinstance(outcome, User)), "")
    user = await users.authenticate(person.email, won, ip=HOME)
    report.equal("the winner's password logs in", [me], ids(user))
    report.equal("the old one does not", None, await users.authenticate(person.email, person.password, ip=HOME))
    after = await fresh(users, me)
    report.equal("the epoch rose by one: tokens issued before are void", before.epoch + 1, after.epoch)
    report.true("the address counts as confirmed", after.confirmed)

    await users.set_password_reset_token(me, token)
    stage.clock.advance(policy.reset_lifetime)
    await report.refused("an expired link is refused", InvalidToken, users.reset_password(token, typed()))
    social = stage.cast(lambda p: p.new.identities and not p.password)[0]
    status: list[str] = [await users.get_password_status(stage.id(social))]
    await users.set_password(stage.id(social), typed())
    status.append(await users.get_password_status(stage.id(social)))
    report.equal(
        "a user with only a social identity can set a first password, then change it", ["set", "change"], status
    )
