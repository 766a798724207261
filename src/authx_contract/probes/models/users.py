"""A model of a store with a few users."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final, Literal, TypeAlias

import attrs

from authx_contract.probes.linearizability import Model
from authx_contract.samples.users import KINDS
from authx_core.domain import NEXT

Verb: TypeAlias = Literal["get", "find", "create", "update", "delete"]
Field: TypeAlias = tuple[str, Any]
"""A field and its value: a key, a number, or None."""


@attrs.frozen(repr=False, kw_only=True)
class Person:
    """A user, with the fields that the calls of a round change."""

    name: str
    email: str | None = None
    username: str | None = None
    identities: str | None = None
    epoch: int = 1
    version: int = 1

    def __repr__(self) -> str:
        keys = [f"{kind} {key}" for kind in KINDS if (key := getattr(self, kind)) is not None]
        return f"<{', '.join([self.name, *keys, f'epoch {self.epoch}', f'version {self.version}'])}>"


@attrs.frozen(repr=False)
class Refused:
    """An error as an answer."""

    error: str
    fields: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"{self.error}({', '.join(sorted(self.fields))})"


@attrs.frozen(repr=False)
class Call:
    """A call: the method, the user and the fields."""

    verb: Verb
    name: str = ""
    fields: tuple[Field, ...] = ()
    expected: tuple[Field, ...] = ()

    def __repr__(self) -> str:
        fields = [f"{field}={value!r}" for field, value in self.fields]
        expected = [f"expected {field} {value!r}" for field, value in self.expected]
        return f"{self.verb}({', '.join([*filter(None, [self.name]), *fields, *expected])})"


State: TypeAlias = frozenset[Person]


def step(state: State, call: Call) -> Iterator[tuple[State, object]]:
    """Yield each state and answer that may follow. If there are several reasons to refuse a call, each is an answer."""
    person = next((each for each in state if each.name == call.name), None)
    others = frozenset(each for each in state if each is not person)
    match call.verb:
        case "get":
            yield state, person
        case "find":
            [(kind, key)] = call.fields
            yield state, next((each for each in state if getattr(each, kind) == key), None)
        case "delete":
            yield others, person is not None
        case "update" if person is None:
            yield state, Refused("UserNotFound")
        case "create" | "update":
            written = _written(person, call)
            stale = any(getattr(person, field) != value for field, value in call.expected)
            reasons = [*[Refused("StaleUser")][:stale], *_taken(others, written)]
            yield from ((state, reason) for reason in reasons)
            if not reasons:
                yield others | {written}, written


def _written(person: Person | None, call: Call) -> Person:
    version = 1 if person is None else person.version + 1
    person = person or Person(name=call.name)
    fields: dict[str, Any] = {field: person.epoch + 1 if value is NEXT else value for field, value in call.fields}
    return attrs.evolve(person, version=version, **fields)


def _taken(others: State, person: Person) -> Iterator[Refused]:
    """Yield each permitted `IdentifierTaken`: a store that looks up the taken keys after its refusal may name more."""
    claimed = [kind for kind in KINDS if getattr(person, kind) is not None]
    taken = {kind for kind in claimed if any(getattr(each, kind) == getattr(person, kind) for each in others)}
    for size in range(1, len(claimed) + 1):
        for fields in combinations(claimed, size):
            if taken.intersection(fields):
                yield Refused("IdentifierTaken", frozenset(fields))


ANN: Final = Call("create", "ann", (("email", "a"), ("username", "a"), ("identities", "a")))
BOB: Final = Call("create", "bob", (("email", "b"), ("username", "b"), ("identities", "b")))
MODEL: Final = Model[State](
    initial=frozenset(_written(None, call) for call in (ANN, BOB)),
    step=step,
    shown=lambda state: ", ".join(sorted(map(repr, state))),
)
