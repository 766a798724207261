"""Changing, finding and deleting accounts."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

from authx_core import InvalidUser, StaleUser, User, UsernameTaken, UsersRepo
from stage import fresh, ids, invited, losers, wide, winners

if TYPE_CHECKING:
    from stage import Stage


async def rename(users: UsersRepo, stage: Stage) -> None:
    """Show that a username belongs to one person in all its spellings."""
    report = stage.report
    owner = stage.cast(lambda p: invited(p) and p.username.isascii() and p.username.islower())[0]
    crowd = stage.cast(invited, 20, start=40)
    me = stage.id(crowd[0])
    for spelling, name in (("in capitals", owner.username.upper()), ("in full-width letters", wide(owner.username))):
        claim = f"another user's name {spelling} is taken: {name}"
        await report.refused(claim, UsernameTaken, users.change_username(me, name))
    await report.refused("a reserved name is refused", InvalidUser, users.change_username(me, "Administrator"))
    user = await users.change_username(stage.id(owner), owner.username.upper())
    report.equal("its owner may change its spelling", owner.username.upper(), user.username)

    spellings = ("Sommernacht", "SOMMERNACHT", "sommernacht", wide("Sommernacht"))
    jobs = [partial(users.change_username, stage.id(person), spellings[n % 4]) for n, person in enumerate(crowd)]
    outcomes = await stage.at_once(jobs)
    result = (winners(outcomes), losers(outcomes))
    report.equal("one of twenty who want the same name at once gets it", (1, {"UsernameTaken"}), result)
    holder = await users.get_by_username("sommernacht")
    report.equal("and owns it afterwards", [each.id for each in outcomes if isinstance(each, User)], ids(holder))


async def search(users: UsersRepo, stage: Stage) -> None:
    """Find users by a piece of their names, and page by page."""
    report = stage.report
    person = stage.cast(lambda p: invited(p) and p.username.isascii() and len(p.username) > 6, start=60)[0]  # noqa: PLR2004 - long enough for a piece of it
    piece = person.username[1:-1].swapcase()
    found, _ = await users.search(username=piece, size=100)
    report.true(f"a piece in another case finds its owner: {piece}", stage.id(person) in ids(*found))
    report.equal("a wildcard is an ordinary character that no name has", ([], 0), await users.search(username="%"))
    listed: list[User] = []
    total = page = 0
    while not page or len(listed) < total:
        page += 1
        found, total = await users.search(p=page, size=100)
        listed += found
        if not found:
            break
    admitted = {user.id for user in stage.admitted.values()}
    report.equal("all pages together have every user", (len(admitted), admitted), (total, set(ids(*listed))))
    report.equal("no user is on two pages", len(admitted), len(listed))


async def update_and_delete(users: UsersRepo, stage: Stage) -> None:
    """Show that an outdated form overwrites nothing, and that a deleted user cannot be found."""
    report = stage.report
    person = stage.cast(lambda p: invited(p) and p.new.identities)[0]
    me, identity = stage.id(person), person.new.identities[0]
    seen = (await fresh(users, me)).version
    after = await users.update(me, {"extra": {"name": "First"}}, version=seen)
    report.equal("a form that is up to date is saved", ("First", seen + 1), (after.extra["name"], after.version))
    late = users.update(me, {"extra": {"name": "Second"}}, version=seen)
    await report.refused("an outdated form is refused", StaleUser, late)
    await report.refused(
        "a form that grants permissions is refused", InvalidUser, users.update(me, {"permissions": ["root"]})
    )
    token = secrets.token_urlsafe(32)
    await users.set_password_reset_token(me, token)
    deleted = await stage.at_once([partial(users.delete, me)] * 3)
    report.equal("one of three deletions at once returns True", 1, deleted.count(True))
    lookups = await users.get(me), await users.get_by_login(person.email), await users.get_by_login(person.username)
    social = await users.get_by_social(identity.provider, identity.subject)
    report.equal("no lookup finds the deleted user", [None] * 4, ids(*lookups, social))
    report.equal("the reset link is void", None, await users.get_id_for_password_reset(token))
    del stage.admitted[person.line]
