"""Callers who use a few users at random."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime
from itertools import count
from random import Random
from typing import Any, Final

from authx_contract.probes.histories import Recorder
from authx_contract.probes.models.users import ANN, BOB, Call, Field, Person, Refused, Verb
from authx_contract.samples.users import KINDS, by_key, make_user, with_key
from authx_core.domain import NEXT, IdentifierTaken, StaleUser, User, UserFields, UserId, UserNotFound
from authx_core.ports import UserStore

_STEPS: Final = 4
"""Calls of one caller in a round."""
_VERBS: Final[Sequence[Verb]] = ("get", "get", "find", "find", "update", "update", "update", "create", "delete")
_KEYS: Final = ("a", "b", "c")
"""Of each kind; few, so that callers want the same."""
_NO_KEY: Final[dict[str, UserFields]] = {
    "email": {"email": None, "email_key": None},
    "username": {"username": None, "username_key": None},
    "identities": {"identities": ()},
}


class Cast:
    """Who there is in a round, and what its history calls them."""

    def __init__(self, round_: int) -> None:
        self.kind = KINDS[round_ % len(KINDS)]
        """The keys that callers want in this round."""
        self.there: dict[str, User] = {}
        """Those who were there at first."""
        self.newcomers = count(1)
        self.epochs = count(2)
        self._suffix = f"-{round_}"
        self._names: dict[datetime, str] = {}

    async def enter(self, store: UserStore) -> None:
        """Create those who are there at first."""
        for call in (ANN, BOB):
            self.there[call.name] = await store.create(self.user(call))

    def user(self, call: Call) -> User:
        """Return the user whom a call is to create."""
        user = make_user(**self.fields(call.fields))
        self._names[user.created_at] = call.name
        return user

    def fields(self, fields: Iterable[Field]) -> Any:
        """Return fields as the store knows them; each round has keys of its own."""
        result: dict[str, Any] = {}
        for field, value in fields:
            match field:
                case "epoch":
                    result["epoch"] = value
                case "version":
                    result["version"] = value
                case kind:
                    result |= _NO_KEY[kind] if value is None else with_key(kind, self.key(value))
        return result

    def key(self, key: object) -> str:
        """Return a key as the store knows it."""
        return f"{key}{self._suffix}"

    def person(self, user: User) -> Person:
        """Return a user as the history shows one."""
        return Person(
            name=self._names.get(user.created_at, user.id),
            email=self._short(user.email_key),
            username=self._short(user.username_key),
            identities="+".join(each.subject.removesuffix(self._suffix) for each in user.identities) or None,
            epoch=user.epoch,
            version=user.version,
        )

    def _short(self, key: str | None) -> str | None:
        return None if key is None else key.removesuffix(self._suffix)


class Caller:
    """Calls at random, and expects of users what it was last told of them."""

    def __init__(self, number: int, random: Random, recorder: Recorder, cast: Cast) -> None:
        self._number = number
        self._random = random
        self._recorder = recorder
        self._cast = cast
        self._ids: dict[str, UserId] = {name: user.id for name, user in cast.there.items()}
        self._told: dict[str, Person] = {name: cast.person(user) for name, user in cast.there.items()}

    async def play(self, store: UserStore) -> None:
        """Make the calls of a round."""
        for _ in range(_STEPS):
            call = self._call(self._random.choice(_VERBS))
            await self._recorder.record(self._number, [call], self._answers(self._made(store, call)))

    def _call(self, verb: Verb) -> Call:
        name = self._random.choice(list(self._ids))
        match verb:
            case "find":
                return Call(verb, fields=(self._claim(),))
            case "create":
                return Call(verb, f"new{next(self._cast.newcomers)}", (self._claim(),))
            case "update":
                told = self._told[name]
                expected = self._random.choice([(), (("version", told.version),), (("epoch", told.epoch),)])
                return Call(verb, name, self._changes(), expected)
            case _:
                return Call(verb, name)

    def _changes(self) -> tuple[Field, ...]:
        epoch = ("epoch", self._random.choice([next(self._cast.epochs), NEXT]))
        return self._random.choice([(epoch,), (self._claim(), epoch), (self._claim(),), ((self._cast.kind, None),)])

    def _claim(self) -> Field:
        return self._cast.kind, self._random.choice(_KEYS)

    async def _made(self, store: UserStore, call: Call) -> User | bool | None:
        match call.verb:
            case "get":
                return await store.get(self._ids[call.name])
            case "find":
                [(kind, key)] = call.fields
                return await by_key(store, kind, self._cast.key(key))
            case "create":
                user = await store.create(self._cast.user(call))
                self._ids[call.name] = user.id
                return user
            case "update":
                expected = self._cast.fields(call.expected) if call.expected else None
                return await store.update(self._ids[call.name], self._cast.fields(call.fields), expected=expected)
            case "delete":
                return await store.delete(self._ids[call.name])

    async def _answers(self, call: Awaitable[User | bool | None]) -> Sequence[object]:
        try:
            answer = await call
        except (UserNotFound, StaleUser) as error:
            return [Refused(type(error).__name__)]
        except IdentifierTaken as error:
            return [Refused("IdentifierTaken", error.fields)]
        if not isinstance(answer, User):
            return [answer]
        person = self._cast.person(answer)
        self._told[person.name] = person
        return [person]
