"""Search: pages, literal text, filters and counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from itertools import product
from typing import Final, cast

import attrs

from authx_contract.basics.expect import holds, raised, same, same_user
from authx_contract.basics.violation import Violation
from authx_contract.clause import clause
from authx_contract.samples.users import AWKWARD, EVERYBODY, full_user, ids, make_user
from authx_contract.trial import Trial
from authx_core.domain import InvalidValue, User, UserId, UserQuery
from authx_core.ports import UserStore

_LITERAL: Final = (
    "50%off", "50xoff", "a_b", "axb", "a.*b", "a.b", "a[b]c", "abc", "$gt",
    "a\\b", "a\\\\b", "a'b", 'a"b', "a*b", "a?b", "^a",
    "(a|b)", "a/b", "a;--", "a\\%b", "%", "_", "\\",
    "zz\ud7ff", "zz\ue000", "zz\U0010ffff", "zz\U0010ffffx", "zz\uffff", "zz",
)  # fmt: skip
"""Texts that some engine reads as a pattern, and texts that match such a pattern."""
_PAGES: Final = 100
"""More pages than any walk here has."""


@clause(
    "U-050",
    means="An export or a mailing skips some people and meets others twice.",
    cause="No total order; `>=` for `>`; a page cut before it is filtered.",
)
async def walk(trial: Trial) -> None:
    """Walking `search` by `after` with any limit returns every match once, in order."""
    store = await trial.users()
    created = [await store.create(make_user(active=bool(number % 3))) for number in range(13)]
    for query in (EVERYBODY, UserQuery(active=True), UserQuery(active=False)):
        expected = [user for user in created if query.active in {None, user.active}]
        order = await ids(store, query)
        same(sorted(order), sorted(user.id for user in expected), "a search for all users found different ones")
        for limit in (1, 2, 3, 4, 5, 13, 14, 1000):
            pages = [page async for page in _walk(store, query, limit)]
            same([user.id for page in pages for user in page], order, f"a walk by {limit} skipped or repeated")
            same({len(page) for page in pages[:-1]} <= {limit}, True, f"a page of a walk by {limit} was not full")
    found = await store.search(EVERYBODY, limit=1000)
    for user in found:
        same_user(user, next(each for each in created if each.id == user.id), "search returned a changed user")
    same(
        found,
        sorted(found, key=lambda user: user.created_at),
        "the order is not that of the ids, which is the order of creation",
    )


@clause(
    "U-051",
    means="An export or a mailing skips people because others came or went meanwhile.",
    cause="Pages by offset or by position instead of by the last id that was seen.",
)
async def walk_undisturbed(trial: Trial) -> None:
    """A walk during inserts, and another during deletes, returns every user present throughout once."""
    store = await trial.users()
    unborn = [make_user() for _ in range(10)]
    stay = [(await store.create(make_user())).id for _ in range(10)]
    seen: list[UserId] = []
    async for page in _walk(store, EVERYBODY, 2):
        seen += [user.id for user in page]
        if unborn:
            await store.create(unborn.pop())
            await store.create(make_user())
        if len(seen) > len(stay):
            break
    same([each for each in seen if each in stay], stay, "a walk during inserts skipped or repeated a user")
    same(len(seen), len(set(seen)), "a walk during inserts repeated a user")
    order = await ids(store)
    seen, deleted = [], set[UserId]()
    async for page in _walk(store, EVERYBODY, 3):
        seen += [user.id for user in page]
        unseen = [each for each in order if each not in seen and each not in deleted]
        for gone in (seen[-1], seen[0], *unseen[1:2]):
            deleted |= {gone} if await store.delete(gone) else set()
    stayed = [each for each in order if each not in deleted]
    same([each for each in seen if each not in deleted], stayed, "a walk during deletes skipped or repeated a user")


@clause(
    "U-052",
    means="A search by an administrator finds everybody, or not the one who is meant.",
    cause="Text becomes a pattern without being escaped, or is compared by a collation.",
)
async def literal(trial: Trial) -> None:
    """Search text is literal and code-point exact."""
    store = await trial.users()
    texts = sorted({*_LITERAL, *AWKWARD})
    for text in texts:
        await store.create(make_user(username=text, username_key=text, email=text, email_key=text))
    everybody = await store.search(EVERYBODY, limit=1000)
    for text in texts:
        for piece in {text, text[:2], text[1:]}:
            for query in (
                UserQuery(username_contains=piece),
                UserQuery(username_prefix=piece),
                UserQuery(email_contains=piece),
                UserQuery(email_prefix=piece),
            ):
                found = {user.username_key for user in await store.search(query, limit=1000)}
                same(found, {user.username_key for user in _scan(everybody, query)}, f"{query} is not literal")
    for wrong in ("nul\0", "lone\ud800"):
        for query in (UserQuery(username_contains=wrong), UserQuery(email_prefix=wrong), UserQuery(id=wrong)):
            await raised(InvalidValue, store.search(query, limit=1), f"search took {query}")
            await raised(InvalidValue, store.count(query), f"count took {query}")


@clause(
    "U-053",
    means="One request loads every account into memory.",
    cause="`checks.check_page` is not called, or the engine takes 0 or a negative limit for none.",
)
async def limits(trial: Trial) -> None:
    """A limit outside 1..1000 is `InvalidValue`, and so is a negative offset."""
    store = await trial.users()
    await store.create(make_user())
    for limit in cast("tuple[int, ...]", (0, -1, 1001, 2**63, None, "1", 1.0, True)):
        await raised(InvalidValue, store.search(EVERYBODY, limit=limit), f"the limit {limit!r} was taken")
    for offset in cast("tuple[int, ...]", (-1, None, "1", 1.5, 2**64)):
        call = store.search(EVERYBODY, limit=1, offset=offset)
        await raised(InvalidValue, call, f"the offset {offset!r} was taken")
    for limit in (1, 1000):
        same(len(await store.search(EVERYBODY, limit=limit)), 1, f"the limit {limit} was not taken")


@clause(
    "U-054",
    means="An administrator sees people whom the filter excludes, or a number that does not fit the list.",
    cause="A filter that is left out when its value is False or empty; a search and a count written twice.",
)
async def filters(trial: Trial) -> None:
    """Every filter, all of them together, and `count` agree with a scan."""
    store = await trial.users()
    for number, (active, name) in enumerate(product((True, False), ("ann", "anna", "hannah", "bob", None))):
        user = full_user(f"{name}{number}") if name else make_user()
        permissions = frozenset(("read", "write", "re", "READ")[: number % 5])
        await store.create(attrs.evolve(user, active=active, permissions=permissions))
    everybody = await store.search(EVERYBODY, limit=1000)
    queries = [
        UserQuery(username_contains=contains, email_prefix=prefix, active=active, permission=permission)
        for contains, prefix, active, permission in product(
            (None, "", "ann", "N"), (None, "", "an", "h"), (None, True, False), (None, "read", "READ", "re", "r", "")
        )
    ]
    queries += [UserQuery(username_prefix=text) for text in ("", "ann", "nn", "anna2")]
    queries += [UserQuery(email_contains=text) for text in ("", "ann", "@example.", "EXAMPLE")]
    queries += [UserQuery(id=everybody[3].id), UserQuery(id="nobody"), UserQuery(id=""), UserQuery(id="x" * 255)]
    queries += [UserQuery(id=user.id, active=True) for user in everybody]
    for query in queries:
        expected = [user.id for user in _scan(everybody, query)]
        same(await ids(store, query), expected, f"{query} does not agree with a scan")
        same(await store.count(query), len(expected), f"the count of {query} does not agree with a scan")


@clause(
    "U-056",
    means="A walk through all accounts ends early, or begins again, when one of them is deleted.",
    cause="The place to go on from is looked up by its id instead of compared with it.",
)
async def after_deleted(trial: Trial) -> None:
    """`after` an id that was deleted goes on from there."""
    store = await trial.users()
    order = [(await store.create(make_user())).id for _ in range(6)]
    for gone in (order[0], order[3], order[5]):
        await store.delete(gone)
    for position, after in enumerate(order):
        rest = [user.id for user in await store.search(EVERYBODY, limit=1000, after=after)]
        expected = [each for each in order[position + 1 :] if each not in {order[0], order[3], order[5]}]
        same(rest, expected, "a search after a deleted id did not go on from there")


@clause(
    "U-057",
    means="Page 2 of a list repeats page 1, or skips people.",
    cause="The offset counts from the start although `after` is given, or is applied after the limit.",
)
async def offset(trial: Trial) -> None:
    """`offset` agrees with a walk, also with `after`."""
    store = await trial.users()
    for number in range(14):
        await store.create(make_user(active=bool(number % 2)))
    for query in (EVERYBODY, UserQuery(active=True)):
        await _offsets(store, query)


async def _offsets(store: UserStore, query: UserQuery) -> None:
    order = await ids(store, query)
    for offset, limit in product(range(9), (1, 3, 1000)):
        page = [user.id for user in await store.search(query, limit=limit, offset=offset)]
        same(page, order[offset : offset + limit], f"offset {offset} does not agree with a walk")
        page = [user.id for user in await store.search(query, limit=limit, offset=offset, after=order[1])]
        same(page, order[2:][offset : offset + limit], f"offset {offset} after an id does not agree with a walk")


async def _walk(store: UserStore, query: UserQuery, limit: int) -> AsyncIterator[list[User]]:
    after: UserId | None = None
    for _ in range(_PAGES):
        page = await store.search(query, limit=limit, after=after)
        if not page:
            return
        holds(len(page) <= limit, f"a page has more than {limit} users")
        yield page
        after = page[-1].id
    raise Violation(f"a walk by {limit} did not end within {_PAGES} pages")


def _scan(users: Iterable[User], query: UserQuery) -> list[User]:
    def contains(part: str | None, key: str | None) -> bool:
        return part is None or (key is not None and part in key)

    def starts(part: str | None, key: str | None) -> bool:
        return part is None or (key is not None and key.startswith(part))

    return [
        user
        for user in users
        if query.id in {None, user.id}
        and contains(query.username_contains, user.username_key)
        and starts(query.username_prefix, user.username_key)
        and contains(query.email_contains, user.email_key)
        and starts(query.email_prefix, user.email_key)
        and query.active in {None, user.active}
        and (query.permission is None or query.permission in user.permissions)
    ]
