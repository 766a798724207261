"""Random sequences of calls of a user store, and the reference that answers them too."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from authx_core.contract.clause import clause
from authx_core.contract.clauses._users import EVERYBODY
from authx_core.contract.exploring import explore
from authx_core.contract.reference import ReferenceUsers
from authx_core.contract.scripts import Script, Step
from authx_core.contract.trial import Trial
from authx_core.domain import SocialIdentity, User, UserId, UserQuery, uuid7_text

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_DAY: Final = datetime(2026, 1, 1, 12, 0, 0, 1, timezone.utc)
_HALF: Final = timedelta(seconds=30)


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

    await explore(_user_steps(), play, trial.seed)


_NAMES: Final = ("ann", "bob", "eve")


@attrs.frozen
class _New:
    """A user to create, as yet without an id; keys end in the number of the script."""

    who: str
    fields: dict[str, Any]


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
