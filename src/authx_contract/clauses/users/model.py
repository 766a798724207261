"""Random sequences of calls on a user store, compared with the reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from authx_contract.clause import clause
from authx_contract.probes.random_scripts import play_random_scripts
from authx_contract.probes.reference import ReferenceUsers
from authx_contract.probes.scripts import Script, Step
from authx_contract.samples.users import EVERYBODY
from authx_contract.trial import Trial
from authx_core.domain import NEXT, SocialIdentity, User, UserId, UserQuery, uuid7_text

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_DAY: Final = datetime(2026, 1, 1, 12, 0, 0, 1, timezone.utc)
_SCRIPTS: Final = 500
_HALF: Final = timedelta(seconds=30)


@attrs.frozen
class _Who:
    """A placeholder for a user, whose id each script chooses."""

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
            for step in (*steps, _LOOK):
                if step == _LOOK:
                    await script.look([_resolved(each, ids, number) for each in _looks()])
                    continue
                answer = await script.play(_resolved(step, ids, number))
                if step.method == "create" and isinstance(answer, User) and isinstance(step.given[0], _New):
                    ids[step.given[0].who] = answer.id
        finally:
            store = await _emptied(trial, store)

    await play_random_scripts(_user_steps(), play, trial, scripts=_SCRIPTS)


_NAMES: Final = ("ann", "bob", "eve")


@attrs.frozen
class _New:
    """A user to create, without an id yet; its keys end in the number of the script."""

    who: str
    fields: dict[str, Any]


async def _emptied(trial: Trial, store: Any) -> Any:
    """Delete all users for the next script; if they cannot be deleted, reset the store."""
    with suppress(Exception):  # this script or a later one reports the fault
        await store.set_blackout(None)
        for user in await store.search(EVERYBODY, limit=1000):
            await store.delete(user.id)
        if await store.count(EVERYBODY) == 0:
            return store
    await trial.harness.reset()
    return await trial.users()


def _resolved(step: Step, ids: dict[str, UserId], number: int) -> Step:
    """Replace names by ids, and keys by keys that are unique to the script."""

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
_OUTSIDE: Final = (SocialIdentity("P", "1"), SocialIdentity("p", "1"))
_DAYS: Final = (_DAY, _DAY + timedelta(microseconds=1), _DAY + timedelta(days=1))
_EXTRAS: Final[Sequence[dict[str, Any]]] = ({"x": 1}, {"x": "1", "y.z": []}, {"x": None})
_CLAIMS: Final[Sequence[dict[str, Any]]] = (
    {},
    *({"email": key, "email_key": key} for key in ("a", "A", None)),
    *({"username": key, "username_key": key} for key in ("a", "A", None)),
    *({"identities": each} for each in (_OUTSIDE[:1], _OUTSIDE, ())),
)
_CHANGES: Final[Sequence[dict[str, Any]]] = (
    *_CLAIMS,
    *({"active": each} for each in (False, True)),
    *({"epoch": each} for each in (NEXT, NEXT, 7)),
    *({"permissions": frozenset(each)} for each in ("r", "rw")),
    *({"extra": each} for each in _EXTRAS),
    *({"last_login": each} for each in (*_DAYS[:2], None)),
)
_EXPECTED: Final[Sequence[dict[str, Any] | None]] = (
    *(None, None, None, {}),
    *({"version": each} for each in (1, 2, 3)),
    *({"active": each} for each in (False, True)),
    *({"last_login": each} for each in (None, _DAY)),
    {"epoch": 2},
    {"version": 1, "active": True},
)
_LOOK: Final = Step("look")
"""Read everything that a script may have changed."""


def _looks() -> list[Step]:
    queries = (EVERYBODY, UserQuery(permission="r"), UserQuery(active=True), UserQuery(active=False))
    return [
        *(Step("get", (_Who(name),)) for name in _NAMES),
        *(Step(method, (key,)) for method in ("get_by_email", "get_by_username") for key in ("a", "A")),
        *(Step("get_by_social", (each.provider, each.subject)) for each in _OUTSIDE),
        *(Step("search", (query,), {"limit": 9}) for query in queries),
        *(Step("count", (query,)) for query in queries),
        Step("get_blackout"),
    ]


def _user_steps() -> SearchStrategy[Step]:
    from hypothesis import strategies as st  # noqa: PLC0415 - only this needs it

    names = ("ann", "ann", "bob", "bob", "eve")
    who = st.sampled_from(names)
    changes = st.tuples(*(st.sampled_from(each) for each in (_CLAIMS, _CLAIMS, _CHANGES, _CHANGES))).map(_merged)
    queries = (EVERYBODY, UserQuery(username_prefix="a"), UserQuery(email_contains="A", active=True))
    pages: Sequence[dict[str, Any]] = ({"limit": 2, "offset": 1}, *({"limit": 1, "after": _Who(n)} for n in _NAMES))
    weighted: Sequence[tuple[int, Callable[[], SearchStrategy[Step]]]] = (
        (4, lambda: st.builds(_create, who, changes)),
        (4, lambda: st.builds(_update, who, changes, st.sampled_from(_EXPECTED))),
        (2, lambda: st.sampled_from([Step("delete", (_Who(name),)) for name in names])),
        (1, lambda: st.sampled_from([*(Step("set_blackout", (day,)) for day in (None, *_DAYS)), *[_LOOK] * 4])),
        (1, lambda: st.sampled_from([Step("search", (query,), page) for query in queries for page in pages])),
    )
    # `one_of` counts the same object only once, so each weight needs distinct objects.
    return st.one_of(*(make() for times, make in weighted for _ in range(times)))


def _create(name: str, fields: dict[str, Any]) -> Step:
    return Step("create", (_New(name, {field: each for field, each in fields.items() if each is not NEXT}),))


def _update(name: str, changes: dict[str, Any], expected: dict[str, Any] | None) -> Step:
    return Step("update", (_Who(name), changes), {} if expected is None else {"expected": expected})


def _merged(changes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {name: value for each in changes for name, value in each.items()}
