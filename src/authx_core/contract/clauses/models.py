"""Random scripts, of which the shortest is told that an adapter and a reference answer differently."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from authx_core.contract.clause import clause
from authx_core.contract.clauses._users import EVERYBODY
from authx_core.contract.reference import ReferenceCache, ReferenceUsers
from authx_core.contract.scripts import Script, Step
from authx_core.contract.threads import in_thread
from authx_core.contract.trial import Trial
from authx_core.contract.violation import Violation
from authx_core.domain import SocialIdentity, User, UserId, UserQuery, uuid7_text

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_SCRIPTS: Final = 300
_SEARCHING: Final = 6.0
"""Seconds in which new scripts are begun."""
_SHRINKING: Final = 20.0
"""Seconds more in which one that fails is made shorter."""
_PARTS: Final = 3
_STEPS: Final = 10
"""Steps of a part, at most."""
_DAY: Final = datetime(2026, 1, 1, 12, 0, 0, 1, timezone.utc)
_HALF: Final = timedelta(seconds=30)
_LONGEST: Final = 6
"""Halves of a minute that a lifetime has, at most."""


@attrs.frozen
class _Who:
    """Somebody whose id is another in each script."""

    name: str


@clause(
    "U-090",
    level=2,
    kind="model",
    needs=["hypothesis"],
    means="Some order of ordinary requests, which nobody thought of, ends in a wrong account.",
    cause="The script shows it: play it, and look at the last line.",
)
async def users_model(trial: Trial) -> None:
    """Random sequences of calls agree with the reference of a user store."""
    store = await trial.users()
    number = 0

    async def play(steps: Sequence[Step]) -> None:
        nonlocal store, number
        number += 1
        ids: dict[str, UserId] = {
            name: uuid7_text(_DAY + number * _HALF + k * _HALF / 9) for k, name in enumerate(_NAMES)
        }
        script = Script("store", store, ReferenceUsers())
        try:
            for step in steps:
                answer = await script.play(_resolved(step, ids, number))
                if step.method == "create" and isinstance(answer, User) and isinstance(step.given[0], _New):
                    ids[step.given[0].who] = answer.id
            await script.look([_resolved(step, ids, number) for step in _looks()])
        finally:
            store = await _emptied(trial, store)

    await _explore(_user_steps(), play, trial.seed)


@clause(
    "C-090",
    level=2,
    kind="model",
    needs=["time", "hypothesis"],
    means="Some order of ordinary requests, which nobody thought of, ends in a wrong count or a link that works twice.",
    cause="The script shows it: play it, and look at the last line.",
)
async def cache_model(trial: Trial) -> None:
    """Random sequences of calls, and of time that passes, agree with the reference of a cache."""
    cache = await trial.cache()
    number = 0

    async def play(steps: Sequence[Step]) -> None:
        nonlocal number
        number += 1
        script = Script("cache", cache, ReferenceCache())
        for step in steps:
            if step.method == "elapse":
                await script.elapse(step, trial.elapse)
            else:
                await script.play(_with_keys_of(step, number))
        for _ in range(_LONGEST):
            await script.look([_with_keys_of(Step("get_many", (list("abcnm"),)), number)])
            await script.elapse(Step("elapse", (_HALF,)), trial.elapse)

    await _explore(_cache_steps(), play, trial.seed)


_NAMES: Final = ("ann", "bob", "eve")


@attrs.frozen
class _New:
    """A user to create, as yet without an id; keys end in the number of the script."""

    who: str
    fields: dict[str, Any]


async def _explore(steps: SearchStrategy[Step], play: Callable[[Sequence[Step]], Awaitable[None]], seed: int) -> None:
    """Play random scripts; raise the `Violation` of the shortest that fails."""
    loop, end = asyncio.get_running_loop(), time.monotonic() + _SEARCHING
    failures = dict[str, Exception]()

    def search() -> None:
        from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415 - only this needs it
        from hypothesis import seed as seeded  # noqa: PLC0415 - likewise
        from hypothesis import strategies as st  # noqa: PLC0415 - likewise

        part = st.lists(steps, max_size=_STEPS)

        @seeded(seed)
        @settings(
            max_examples=_SCRIPTS, deadline=None, database=None, phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType] - they are its members
            report_multiple_bugs=False, print_blob=False,
        )  # fmt: skip
        @given(st.tuples(*[part] * _PARTS))
        def one(parts: tuple[list[Step], ...]) -> None:
            script = [step for each in parts for step in each]
            known = failures.get(repr(script))
            if known is not None:
                raise known
            if time.monotonic() > end + _SHRINKING * bool(failures):
                return
            try:
                asyncio.run_coroutine_threadsafe(_awaited(play(script)), loop).result()
            except Exception as error:
                failures[repr(script)] = error
                raise

        one()

    try:
        await in_thread(search)
    except Violation:
        raise
    except Exception:
        # Hypothesis calls it flaky: it failed once, and not again.
        if failures:
            raise list(failures.values())[-1] from None
        raise


async def _awaited(call: Awaitable[None]) -> None:
    await call


async def _emptied(trial: Trial, store: Any) -> Any:
    """Leave no user behind for the next script; begin anew if they cannot be deleted."""
    with suppress(Exception):  # a script has told, or one of the next will
        await store.set_blackout(None)
        for user in await store.search(EVERYBODY, limit=1000):
            await store.delete(user.id)
        if await store.count(EVERYBODY) == 0:
            return store
    await trial.harness.reset()
    return await trial.users()


def _resolved(step: Step, ids: dict[str, UserId], number: int) -> Step:
    """Put ids in the place of names, and keys that no other script has."""

    def real(value: Any) -> Any:
        match value:
            case _Who(name=name):
                return ids[name]
            case _New(who=who, fields=fields):
                return User(id=ids[who], created_at=_DAY + timedelta(microseconds=number), **real(fields))
            case SocialIdentity():
                return attrs.evolve(value, subject=f"{value.subject}{number}")
            case tuple():
                return tuple(real(each) for each in cast("Sequence[Any]", value))
            case dict():
                given = cast("dict[str, Any]", value)
                return {
                    name: f"{each}{number}" if name in _KEYS and each else real(each) for name, each in given.items()
                }
            case _:
                return value

    given = real(step.given)
    if step.method in {"get_by_email", "get_by_username"}:
        given = (f"{given[0]}{number}",)
    elif step.method == "get_by_social":
        given = (given[0], f"{given[1]}{number}")
    return Step(step.method, given, {name: real(each) for name, each in step.options.items()})


_KEYS: Final = frozenset({"email", "email_key", "username", "username_key"})


def _with_keys_of(step: Step, number: int) -> Step:
    """Give keys that no other script has."""
    key, *rest = step.given
    several = cast("list[str]", key) if isinstance(key, list) else None
    mine = f"{key}{number}" if several is None else [f"{each}{number}" for each in several]
    return attrs.evolve(step, given=(mine, *rest))


def _looks() -> list[Step]:
    """Look at all that a script may have changed."""
    queries = (EVERYBODY, UserQuery(permission="r"), UserQuery(active=True), UserQuery(active=False))
    keys, social = ("a", "A", "b"), [(provider, subject) for provider in "pP" for subject in "12"]
    return [
        *(Step("get", (_Who(name),)) for name in _NAMES),
        *(Step(method, (key,)) for method in ("get_by_email", "get_by_username") for key in keys),
        *(Step("get_by_social", each) for each in social),
        *(Step("search", (query,), {"limit": 9}) for query in queries),
        *(Step("count", (query,)) for query in queries),
        Step("get_blackout"),
    ]


def _user_steps() -> SearchStrategy[Step]:
    from hypothesis import strategies as st  # noqa: PLC0415 - only this needs it

    who = st.sampled_from(_NAMES)
    key = st.sampled_from(("a", "A", "b"))
    identity = st.builds(SocialIdentity, st.sampled_from(("p", "P")), st.sampled_from(("1", "2")))
    identities = st.lists(identity, max_size=2, unique=True).map(lambda found: tuple(sorted(found, key=str)))
    day = st.sampled_from((_DAY, _DAY + timedelta(microseconds=1), _DAY + timedelta(days=1)))
    fields: dict[str, SearchStrategy[Any]] = {
        "identities": identities,
        "active": st.booleans(),
        "permissions": st.frozensets(st.sampled_from(("r", "w")), max_size=2),
        "extra": st.dictionaries(st.sampled_from(("x", "y.z")), st.sampled_from((None, 1, "1", [])), max_size=2),
        "last_login": st.none() | day,
    }
    keys = st.fixed_dictionaries({}, optional={"email": st.none() | key, "username": st.none() | key}).map(_both)
    some = st.tuples(keys, st.fixed_dictionaries({}, optional=fields)).map(lambda both: both[0] | both[1])
    expected = st.none() | st.fixed_dictionaries(
        {}, optional={"version": st.integers(1, 3), "active": st.booleans(), "last_login": st.none() | day}
    )
    query = st.builds(
        UserQuery,
        username_prefix=st.none() | key, email_contains=st.none() | key, active=st.none() | st.booleans(),
        permission=st.sampled_from((None, "r")),
    )  # fmt: skip
    page = st.fixed_dictionaries(
        {"limit": st.integers(1, 3)}, optional={"after": who.map(_Who), "offset": st.integers(0, 2)}
    )
    created = st.builds(_New, who, some)
    user = who.map(_Who)
    return st.one_of(
        *[st.builds(Step, st.just("create"), st.tuples(created))] * 2,
        st.builds(_update, who, some, expected),
        *(st.builds(Step, st.just(method), st.tuples(user)) for method in ("delete", "get")),
        *(st.builds(Step, st.just(method), st.tuples(key)) for method in ("get_by_email", "get_by_username")),
        st.builds(Step, st.just("get_by_social"), st.tuples(st.sampled_from(("p", "P")), st.sampled_from(("1", "2")))),
        st.builds(Step, st.just("search"), st.tuples(query), page),
        st.builds(Step, st.just("count"), st.tuples(query)),
        st.builds(Step, st.just("set_blackout"), st.tuples(st.none() | day)),
        st.just(Step("get_blackout")),
    )


def _update(name: str, changes: dict[str, Any], expected: dict[str, Any] | None) -> Step:
    return Step("update", (_Who(name), changes), {} if expected is None else {"expected": expected})


def _both(given: dict[str, Any]) -> dict[str, Any]:
    """Give each address and name with its key."""
    return {name: value for field, value in given.items() for name in (field, f"{field}_key") for value in (value,)}


def _cache_steps() -> SearchStrategy[Step]:
    from hypothesis import strategies as st  # noqa: PLC0415 - only this needs it

    key = st.sampled_from(("a", "b", "c"))
    counters = st.lists(st.sampled_from(("n", "m")), min_size=1, max_size=3)
    value = st.sampled_from(("", "x", "5", "-3"))
    ttl = st.integers(1, 3).map(lambda minutes: 2 * minutes * _HALF)
    kept = st.fixed_dictionaries({"ttl": ttl})
    counting = st.fixed_dictionaries({"by": st.sampled_from((1, 1, -1, 7)), "ttl": ttl})
    several = st.lists(st.sampled_from(("a", "b", "n", "m")), max_size=4)
    return st.one_of(
        *(st.builds(Step, st.just(method), st.tuples(key, value), kept) for method in ("set", "add")),
        st.builds(Step, st.just("increment"), st.tuples(key), counting),
        st.builds(Step, st.just("increment_many"), st.tuples(counters), counting),
        st.builds(Step, st.sampled_from(("get", "pop", "delete")), st.tuples(key)),
        st.builds(Step, st.just("get_many"), st.tuples(several)),
        st.builds(Step, st.just("elapse"), st.tuples(st.integers(1, 4).map(lambda halves: halves * _HALF))),
    )
