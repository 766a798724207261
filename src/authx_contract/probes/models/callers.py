"""Callers that make random calls on a few users."""

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
"""The keys of each kind; few, so that callers compete for them."""
_NO_KEY: Final[dict[str, UserFields]] = {
    "email": {"email": None, "email_key": None},
    "username": {"username": None, "username_key": None},
    "identities": {"identities": ()},
}


class Roster:
    """The users of a round, and their names in its history."""

    def __init__(self, round_: int) -> None:
        self.kind = KINDS[round_ % len(KINDS)]
        """The kind of key for which callers compete in this round."""
        self.present: dict[str, User] = {}
        """The users at the start of the round."""
        self.newcomers = count(1)
        self.epochs = count(2)
        self._suffix = f"-{round_}"
        self._names: dict[datetime, str] = {}

    async def enter(self, store: UserStore) -> None:
        """Create the users at the start of the round."""
        for call in (ANN, BOB):
            self.present[call.name] = await store.create(self.user(call))

    def user(self, call: Call) -> User:
        """Return the user that a call creates."""
        user = make_user(**self.fields(call.fields))
        self._names[user.created_at] = call.name
        return user

    def fields(self, fields: Iterable[Field]) -> Any:
        """Return fields as the store knows them, with keys that are unique to the round."""
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
        """Return a user as the history shows it."""
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
    """Makes random calls, and expects the fields of a user that it saw last."""

    def __init__(self, number: int, random: Random, recorder: Recorder, roster: Roster) -> None:
        self._number = number
        self._random = random
        self._recorder = recorder
        self._roster = roster
        self._ids: dict[str, UserId] = {name: user.id for name, user in roster.present.items()}
        self._last_seen: dict[str, Person] = {name: roster.person(user) for name, user in roster.present.items()}

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
                return Call(verb, f"new{next(self._roster.newcomers)}", (self._claim(),))
            case "update":
                seen = self._last_seen[name]
                expected = self._random.choice([(), (("version", seen.version),), (("epoch", seen.epoch),)])
                return Call(verb, name, self._changes(), expected)
            case _:
                return Call(verb, name)

    def _changes(self) -> tuple[Field, ...]:
        epoch = ("epoch", self._random.choice([next(self._roster.epochs), NEXT]))
        return self._random.choice([(epoch,), (self._claim(), epoch), (self._claim(),), ((self._roster.kind, None),)])

    def _claim(self) -> Field:
        return self._roster.kind, self._random.choice(_KEYS)

    async def _made(self, store: UserStore, call: Call) -> User | bool | None:
        match call.verb:
            case "get":
                return await store.get(self._ids[call.name])
            case "find":
                [(kind, key)] = call.fields
                return await by_key(store, kind, self._roster.key(key))
            case "create":
                user = await store.create(self._roster.user(call))
                self._ids[call.name] = user.id
                return user
            case "update":
                expected = self._roster.fields(call.expected) if call.expected else None
                return await store.update(self._ids[call.name], self._roster.fields(call.fields), expected=expected)
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
        person = self._roster.person(answer)
        self._last_seen[person.name] = person
        return [person]
