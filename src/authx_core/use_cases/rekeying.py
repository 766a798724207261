"""Find stored keys that differ from the present rules, and store new ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final, Literal, TypeAlias

import attrs

from authx_core.domain.canonical import email_key, username_key
from authx_core.domain.errors import IdentifierTaken, InvalidValue, StaleUser, UserNotFound
from authx_core.domain.user import User, UserChanges, UserFields, UserId, UserQuery
from authx_core.ports import UserStore

Field: TypeAlias = Literal["email", "username"]
Verdict: TypeAlias = Literal["changes", "collides", "refused"]

_KEYS: Final[dict[Field, Callable[[object], str]]] = {"email": email_key, "username": username_key}
_PAGE: Final = 200
"""Users read at a time."""


@attrs.frozen(kw_only=True)
class Finding:
    """A name whose stored key is not the one of the present rules."""

    user_id: UserId
    field: Field
    verdict: Verdict
    shown: str
    """The name as it is stored to be shown."""
    stored: str | None
    """Its key in the store."""
    key: str | None = None
    """Its key by the present rules; None if they refuse the name."""
    others: tuple[UserId, ...] = ()
    """The users that it collides with."""
    reason: str | None = None
    """The reason of a refusal."""


async def examine(users: UserStore) -> list[Finding]:
    """Walk all users and find the keys that differ. Nothing is written.

    Only findings are kept in memory, not users. Users who are changed meanwhile may be missed.
    """
    found = [finding async for user in _every(users) for finding in _differing(user)]
    claims: dict[tuple[Field, str], list[UserId]] = {}
    for each in found:
        if each.key is not None:
            claims.setdefault((each.field, each.key), []).append(each.user_id)
    leaving = {(each.field, each.user_id) for each in found if each.key is not None}
    for (field, key), claimants in claims.items():
        holder = await _holder(field, key, users)
        if holder is not None and (field, holder.id) not in leaving:
            claimants.append(holder.id)
    return [_judged(each, claims) for each in found]


async def rekey(findings: Iterable[Finding], *, users: UserStore) -> list[Finding]:
    """Store the new keys that are free, and return the findings that are left.

    Each is a compare-and-set on the user's version. A key that another user still has is tried again after the others.
    """
    left: list[Finding] = []
    waiting: list[Finding] = []
    for each in findings:
        (waiting if each.verdict == "changes" else left).append(each)
    while waiting:
        again = [each for each in waiting if not await _stored(each, users)]
        if len(again) == len(waiting):
            break
        waiting = again
    return left + waiting


async def _every(users: UserStore) -> AsyncIterator[User]:
    after: UserId | None = None
    while page := await users.search(UserQuery(), limit=_PAGE, after=after):
        for user in page:
            yield user
        after = page[-1].id


def _differing(user: User) -> Iterable[Finding]:
    names: tuple[tuple[Field, str | None, str | None], ...] = (
        ("email", user.email, user.email_key),
        ("username", user.username, user.username_key),
    )
    for field, shown, stored in names:
        if shown is None:
            continue
        try:
            key = _KEYS[field](shown)
        except InvalidValue as error:
            reason = "; ".join(problem.message for problem in error.problems)
            yield Finding(
                user_id=user.id, field=field, verdict="refused", shown=shown, stored=stored, key=None, reason=reason
            )
            continue
        if key != stored:
            yield Finding(user_id=user.id, field=field, verdict="changes", shown=shown, stored=stored, key=key)


async def _holder(field: Field, key: str, users: UserStore) -> User | None:
    return await (users.get_by_email(key) if field == "email" else users.get_by_username(key))


def _judged(finding: Finding, claims: dict[tuple[Field, str], list[UserId]]) -> Finding:
    if finding.key is None:
        return finding
    others = tuple(each for each in claims[finding.field, finding.key] if each != finding.user_id)
    return attrs.evolve(finding, verdict="collides", others=others) if others else finding


async def _stored(finding: Finding, users: UserStore) -> bool:
    user = await users.get(finding.user_id)
    if user is None or getattr(user, finding.field) != finding.shown:
        return False
    changes: UserChanges = {"email_key": finding.key} if finding.field == "email" else {"username_key": finding.key}
    expected: UserFields = {"version": user.version}
    try:
        await users.update(user.id, changes, expected=expected)
    except (IdentifierTaken, StaleUser, UserNotFound):
        return False
    return True
