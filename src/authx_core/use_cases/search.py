"""Find many users."""

from __future__ import annotations

from collections.abc import Callable

from authx_core.domain import checks, reasons
from authx_core.domain.canonical import email_fragment, username_fragment
from authx_core.domain.errors import InvalidQuery, InvalidValue, Problem
from authx_core.domain.limits import MAX_ID, MAX_INTEGER, MAX_LIMIT
from authx_core.domain.policy import Policy
from authx_core.domain.user import User, UserId, UserQuery
from authx_core.ports import UserStore


async def search(
    user_id: UserId | None,
    username: str | None,
    page: int,
    size: int,
    *,
    users: UserStore,
    policy: Policy,
) -> tuple[list[User], int]:
    """Return one page (from 1) of the users found, and how many there are in all. Raises `InvalidQuery`."""
    query = UserQuery(id=user_id, username_contains=_fragment(username, username_fragment))
    problems = [*_wrong_size(size, policy), *_wrong_query(query)]
    if not reasons.is_whole(page, 1, MAX_INTEGER // MAX_LIMIT):
        problems.append(Problem("p", "out_of_range", "must be a whole number from 1"))
    if problems:
        raise InvalidQuery(*problems)
    found = await users.search(query, limit=size, offset=(page - 1) * size)
    return found, await users.count(query)


async def search_after(
    after: UserId | None,
    *,
    username: str | None = None,
    username_prefix: str | None = None,
    email: str | None = None,
    email_prefix: str | None = None,
    active: bool | None = None,
    permission: str | None = None,
    size: int,
    users: UserStore,
    policy: Policy,
) -> list[User]:
    """Return the next ``size`` users found after this id, in order of their ids. Raises `InvalidQuery`."""
    query = UserQuery(
        username_contains=_fragment(username, username_fragment),
        username_prefix=_fragment(username_prefix, username_fragment),
        email_contains=_fragment(email, email_fragment),
        email_prefix=_fragment(email_prefix, email_fragment),
        active=active,
        permission=permission,
    )
    problems = [*_wrong_size(size, policy), *_wrong_query(query)]
    if after is not None and not checks.is_text(after, MAX_ID):
        problems.append(Problem("after", "invalid", "must be the id of a user"))
    if problems:
        raise InvalidQuery(*problems)
    return await users.search(query, limit=size, after=after)


def _fragment(text: str | None, fold: Callable[[str], str]) -> str | None:
    """Fold a text; the query's check refuses any other value."""
    return fold(text) if checks.is_text(text) and text is not None else text


def _wrong_query(query: UserQuery) -> tuple[Problem, ...]:
    try:
        checks.check_query(query)
    except InvalidValue as error:
        return error.problems
    return ()


def _wrong_size(size: int, policy: Policy) -> tuple[Problem, ...]:
    if reasons.is_whole(size, 1, policy.max_page_size):
        return ()
    return (Problem("size", "out_of_range", f"must be a whole number, 1..{policy.max_page_size}"),)
