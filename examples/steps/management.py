"""Operations for administrators."""

from __future__ import annotations

import secrets
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from authx_core import InvalidToken, InvalidUser, UsersRepo
from stage import HOME, fresh, ids, invited, typed, winners, with_password

if TYPE_CHECKING:
    from stage import Stage


async def blacklist(users: UsersRepo, stage: Stage) -> None:
    """Show that a blacklisted person cannot log in until reinstated."""
    report = stage.report
    person = stage.cast(with_password, start=12)[0]
    me, token = stage.id(person), secrets.token_urlsafe(32)
    await users.set_password_reset_token(me, token)
    before = await users.blacklist(me)
    user = await users.authenticate(person.email, person.password, ip=HOME)
    report.equal("the right password does not log in", None, user)
    report.equal("the blacklist has only this person", [me], ids(*await users.get_blacklist()))
    await report.refused("the reset link is void", InvalidToken, users.reset_password(token, typed()))
    report.equal("blacklisting again changes nothing", before.version, (await users.blacklist(me)).version)
    after = await users.reinstate(me)
    report.equal("after reinstating, the blacklist is empty", [], await users.get_blacklist())
    report.equal("tokens issued before stay void", before.epoch, after.epoch)
    user = await users.authenticate(person.email, person.password, ip=HOME)
    report.equal("and the password logs in again", [me], ids(user))
    toggled = await stage.at_once([partial(users.toggle_blacklist, me)] * 2)
    report.equal("two toggles at once make two changes", [False, True], sorted(toggled, key=bool))


async def kick_and_black_out(users: UsersRepo, stage: Stage) -> None:
    """Void the tokens of one user, and of all users."""
    report, clock = stage.report, stage.clock
    me = stage.id(stage.cast(invited)[0])
    before = await fresh(users, me)
    kicks = await stage.at_once([partial(users.kick, me)] * 5)
    after = await fresh(users, me)
    report.equal("five kicks at once raise the epoch by five", (5, before.epoch + 5), (winners(kicks), after.epoch))

    report.equal("there is no blackout", None, await users.get_blackout())
    cutoff = clock.now()
    report.equal("a blackout is set", [cutoff] * 2, [await users.set_blackout(cutoff), await users.get_blackout()])
    standing = [await users.set_blackout(cutoff - timedelta(hours=1)), await users.get_blackout()]
    report.equal("an earlier cut-off changes nothing", [cutoff] * 2, standing)
    clock.advance(60)
    report.equal("a later cut-off replaces it", clock.now(), await users.set_blackout(clock.now()))
    await users.delete_blackout()
    report.equal("the blackout is lifted", None, await users.get_blackout())


async def permit(users: UsersRepo, stage: Stage) -> None:
    """Show that administrators who work at the same time do not undo each other's changes."""
    report = stage.report
    me = stage.id(stage.cast(invited, start=1)[0])
    first = await users.set_permissions(me, [f"old:{n}" for n in range(8)])
    jobs = [partial(users.add_permissions, me, [f"new:{n}"]) for n in range(8)]
    jobs += [partial(users.remove_permissions, me, [f"old:{n}"]) for n in range(8)]
    outcomes = await stage.at_once(jobs)
    after = await fresh(users, me)
    report.equal("sixteen changes at once all succeed", 16, winners(outcomes))
    report.equal("and none is lost", {f"new:{n}" for n in range(8)}, set(after.permissions))
    report.equal("each raised the epoch, which voids earlier tokens", first.epoch + 16, after.epoch)
    same = await users.add_permissions(me, ["new:0"])
    report.equal("adding a permission that is there changes nothing", after.version, same.version)
    await report.refused("an empty permission is refused", InvalidUser, users.add_permissions(me, [""]))
