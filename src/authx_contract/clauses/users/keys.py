"""Keys, which are addresses, usernames and social identities: exact and unique, with one winner of each race."""

from __future__ import annotations

from typing import Any

import attrs

from authx_contract.basics.expect import holds, raised, same, same_user
from authx_contract.clause import clause
from authx_contract.probes.races import ROUNDS, race
from authx_contract.samples.users import (
    AWKWARD,
    EVERYBODY,
    KINDS,
    by_key,
    full_user,
    make_user,
    one_winner,
    warm,
    with_key,
)
from authx_contract.terms import RACERS
from authx_contract.trial import Trial
from authx_core.domain import IdentifierTaken, SocialIdentity, User
from authx_core.ports import UserStore


@clause(
    "U-010",
    means="One person logs in as another whose name only looks alike, or resets that one's password.",
    cause="A collation that ignores case, accents, width or trailing spaces: declare a binary one.",
)
async def exact(trial: Trial) -> None:
    """A lookup finds a user exactly if the key is equal code point by code point."""
    store = await trial.users()
    for kind in KINDS:
        for key in ("josé", "straße", "😀 a"):
            created = await store.create(make_user(**with_key(kind, key)))
            same_user(await by_key(store, kind, key), created, f"the key {key!r} ({kind}) did not find its user")
        misses = ("jose", "Josë", "JOSÉ", "José", "jose\u0301", "josé ", " josé", "jos", "josé\u200b", "jos_", "%",
                  "strasse",
                  "STRASSE", "😁 a", "😀 a ", "😀  a")  # fmt: skip
        for miss in misses:
            same(await by_key(store, kind, miss), None, f"the key {miss!r} ({kind}) found another's user")


@clause(
    "U-011",
    means="A person cannot register, since a name that only looks alike is taken.",
    cause="The unique index follows a collation, or keys are folded or cut before they are compared.",
)
async def different_keys_coexist(trial: Trial) -> None:
    """Any two different keys coexist, and each finds its own user."""
    store = await trial.users()
    for kind in KINDS:
        created = {key: await store.create(make_user(**with_key(kind, key))) for key in AWKWARD}
        for key, user in created.items():
            same_user(await by_key(store, kind, key), user, f"the key {key!r} ({kind}) did not find its user")


@clause(
    "U-012",
    means="Logging in through one provider opens the account of somebody at another.",
    cause="Provider and subject are joined into one text, or compared by a collation.",
)
async def provider_and_subject(trial: Trial) -> None:
    """Provider and subject are compared byte by byte, each for itself."""
    store = await trial.users()
    pairs = [("a", "b:c"), ("a:b", "c"), ("a", "b"), ("b", "a"), ("A", "b"), ("a", "B"), ("a", "b "), ("a ", "b")]
    pairs += [
        ("ab", "c"),
        ("a", "bc"),
        ("a|b", "c"),
        ("a", "b|c"),
        ("é", "1"),
        ("e\u0301", "1"),
        ("a", "01"),
        ("a", "1"),
    ]
    created = {pair: await store.create(make_user(identities=(SocialIdentity(*pair),))) for pair in pairs}
    for pair, user in created.items():
        same_user(await store.get_by_social(*pair), user, f"{pair} did not find its user")
    for miss in (("a", "c"), ("a:b", "b:c"), ("b:c", "a"), ("c", "a:b")):
        same(await store.get_by_social(*miss), None, f"{miss} found a user")


@clause(
    "U-013",
    means="Whoever takes a username that looks like an address gets logins meant for its owner.",
    cause="Keys of all kinds share one table or prefix without saying their kind.",
)
async def kinds_never_cross(trial: Trial) -> None:
    """E-mail keys and username keys never cross, nor do ids and identities."""
    store = await trial.users()
    users = {kind: await store.create(make_user(**with_key(kind, "ann@example.com"))) for kind in KINDS}
    for kind, user in users.items():
        same_user(await by_key(store, kind, "ann@example.com"), user, f"one text as {kind} found another kind's user")
        same(await by_key(store, kind, user.id), None, f"an id was found as {kind}")
    same(await store.get("ann@example.com"), None, "a key was found as an id")
    for kind in KINDS:
        await store.create(make_user(**with_key(kind, f"only as {kind}")))
        for other in KINDS:
            found = await by_key(store, other, f"only as {kind}") is not None
            same(found, other == kind, f"the {kind} of a user was found as {other}")


@clause(
    "U-020",
    means="A registration that failed still occupies a name, or the person is told the wrong field.",
    cause="The search for taken keys ends at the first, or rows written before the refusal are not undone.",
)
async def taken(trial: Trial) -> None:
    """`IdentifierTaken` names every taken field, and the loser leaves nothing behind."""
    store = await trial.users()
    first, second = await store.create(full_user("ann")), await store.create(full_user("bob"))
    taken: dict[str, Any] = {
        "email": {"email": first.email, "email_key": first.email_key},
        "username": {"username": second.username, "username_key": second.username_key},
        "identities": {"identities": (SocialIdentity("free", "1"), second.identities[0])},
    }
    for mask in range(1, 2 ** len(taken)):
        names = [name for bit, name in enumerate(taken) if mask >> bit & 1]
        loser = full_user("free")
        for name in names:
            loser = attrs.evolve(loser, **taken[name])
        error = await raised(IdentifierTaken, store.create(loser), f"{names} were claimed twice")
        same(error.fields, set(names), "the named fields are not exactly the taken ones")
        same(await store.get(loser.id), None, "the loser was stored")
    given = make_user()
    created = await store.create(given)
    if not trial.capabilities.own_ids:
        same(created.id, given.id, "the store assigned its own id, but its harness does not declare `own_ids`")
        again = attrs.evolve(full_user("free"), id=given.id)
        error = await raised(IdentifierTaken, store.create(again), "an id was claimed twice")
        same(error.fields, {"id"}, "a taken id was not named")
        both = attrs.evolve(again, email=first.email, email_key=first.email_key)
        error = await raised(IdentifierTaken, store.create(both), "an id and an address were claimed twice")
        same(error.fields, {"id", "email"}, "not both the taken id and the taken address were named")
    same_user(await store.get(first.id), first, "the user whose keys were claimed changed")
    same(await store.get_by_social("free", "1"), None, "a loser left an identity behind")
    free = await store.create(attrs.evolve(full_user("free"), identities=(SocialIdentity("free", "1"),)))
    same_user(await store.get_by_email("free@example.com"), free, "a loser's free keys stayed claimed")
    same(await store.count(EVERYBODY), 4, "a loser is counted")


@clause(
    "U-021",
    level=2,
    kind="race",
    means="Two people hold one address: a link to reset a password opens whichever account is found first.",
    cause="The key is looked up and then inserted: let a unique index, or one atomic step, decide.",
)
async def one_create(trial: Trial) -> None:
    """Of several `create`s of one key at once, one wins."""
    stores = await trial.racing_users()
    for kind in KINDS:
        for round_ in range(ROUNDS):
            key = f"{kind}-{round_}"

            async def claim(store: UserStore, _: int, kind: str = kind, key: str = key) -> User:
                return await store.create(make_user(**with_key(kind, key)))

            before = await stores[0].count(EVERYBODY)
            winner = one_winner(await race(stores, claim, warm=warm), kind, f"several creates of one {kind}")
            same_user(await by_key(stores[0], kind, key), winner, "the key does not find the winner")
            same(await stores[0].count(EVERYBODY), before + 1, "a loser left a user behind")


@clause(
    "U-022",
    level=2,
    kind="race",
    means="Two people end with one address or name, and each may log in as the other.",
    cause="The key is looked up and then written: let a unique index, or one atomic step, decide.",
)
async def one_update(trial: Trial) -> None:
    """Of several `update`s to one key at once, one wins."""
    stores = await trial.racing_users()
    for kind in KINDS:
        users = [await stores[0].create(make_user()) for _ in stores]
        for round_ in range(ROUNDS):
            key = f"{kind}-{round_}"

            async def claim(store: UserStore, racer: int, kind: str = kind, key: str = key) -> User:
                return await store.update(users[racer].id, with_key(kind, key))  # noqa: B023 - awaited in this round

            winner = one_winner(await race(stores, claim, warm=warm), kind, f"several updates to one {kind}")
            same_user(await by_key(stores[0], kind, key), winner, "the key does not find the winner")
            for number, before in enumerate(users):
                now = await stores[0].get(before.id)
                expected = winner if before.id == winner.id else before
                same_user(now, expected, "a loser's user changed")
                users[number] = expected


@clause(
    "U-023",
    level=2,
    kind="race",
    means="A registration fails with a database error, or two people share a linked account.",
    cause="Keys are locked in the order in which they come, so that two transactions wait for each other: sort them.",
)
async def crosswise(trial: Trial) -> None:
    """`create`s that share different keys crosswise end with at most one winner and no deadlock."""
    stores = await trial.racing_users()
    for round_ in range(ROUNDS):
        pair = [SocialIdentity("provider", f"{round_}-{each}") for each in "ab"]

        async def claim(store: UserStore, racer: int, pair: list[SocialIdentity] = pair) -> User:
            return await store.create(make_user(identities=tuple(pair if racer % 2 else pair[::-1])))

        before = await stores[0].count(EVERYBODY)
        results = await race(stores, claim, warm=warm)
        winners = [result for result in results if isinstance(result, User)]
        losers = [result for result in results if isinstance(result, IdentifierTaken)]
        holds(len(winners) <= 1, "several users have one social identity")
        same(len(winners) + len(losers), RACERS, f"a loser did not get IdentifierTaken: {results!r:.300}")
        same(await stores[0].count(EVERYBODY), before + len(winners), "a loser left a user behind")
        for each in pair:
            found = await stores[0].get_by_social(each.provider, each.subject)
            same(found, winners[0] if winners else None, "an identity is not the winner's")
