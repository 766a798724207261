"""A model of one key of a cache, and callers that make random calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import count
from random import Random
from typing import Final, Literal, TypeAlias

import attrs

from authx_contract.probes.histories import Recorder
from authx_contract.probes.linearizability import Model
from authx_core.ports import Cache

Verb: TypeAlias = Literal["get", "get_many", "set", "add", "pop", "delete", "increment", "increment_many"]

_TTL: Final = timedelta(hours=1)
_STEPS: Final = 4
"""Calls of one caller in a round."""
MIXES: Final[tuple[tuple[Verb, ...], ...]] = (
    ("increment", "increment", "increment_many", "get", "pop"),
    ("set", "pop", "pop", "get", "get_many"),
    ("add", "add", "delete", "pop", "get"),
    ("get", "get_many", "set", "add", "pop", "delete", "increment", "increment_many"),
)
"""A counter, single use, add-if-absent, and everything at once."""


@attrs.frozen(repr=False)
class Call:
    """A call on one key; a call on several keys counts as one on each."""

    verb: Verb
    key: str
    value: str | int | None = None

    def __repr__(self) -> str:
        value = "" if self.value is None else f", {self.value!r}"
        return f"{self.verb}({self.key!r}{value})"


def step(state: str | None, call: Call) -> Iterable[tuple[str | None, object]]:
    """Yield the value after a call, and the answer."""
    match call:
        case Call("set", value=str(value)):
            yield value, None
        case Call("add", value=str(value)):
            yield (value, True) if state is None else (state, False)
        case Call("pop"):
            yield None, state
        case Call("delete"):
            yield None, state is not None
        case Call("increment" | "increment_many", value=int(by)):
            counted = int(state or 0) + by
            yield str(counted), counted
        case _:
            yield state, state


MODEL: Final = Model[str | None](initial=None, step=step)


class Caller:
    """Makes random calls on the keys of a round. Each value is unique, and a number, so that it can be incremented."""

    def __init__(self, number: int, random: Random, recorder: Recorder, keys: Sequence[str]) -> None:
        self._number = number
        self._random = random
        self._recorder = recorder
        self._keys = keys
        self._values = count(1000 * (number + 1), 100)

    async def play(self, cache: Cache, mix: Sequence[Verb]) -> None:
        """Make the calls of a round."""
        for _ in range(_STEPS):
            verb = self._random.choice(mix)
            keys = self._random.sample(self._keys, len(self._keys) if verb.endswith("many") else 1)
            value = self._value(verb)
            calls = [Call(verb, key, value) for key in keys]
            await self._recorder.record(self._number, calls, _answers(cache, verb, keys, value))

    def _value(self, verb: Verb) -> str | int | None:
        match verb:
            case "set" | "add":
                return str(next(self._values))
            case "increment" | "increment_many":
                return self._random.choice([1, 1, 2])
            case _:
                return None


async def _answers(cache: Cache, verb: Verb, keys: Sequence[str], value: str | int | None) -> Sequence[object]:
    [key, *_] = keys
    match verb, value:
        case "get_many", _:
            return await cache.get_many(keys)
        case "increment_many", int(by):
            return await cache.increment_many(keys, by=by, ttl=_TTL)
        case "increment", int(by):
            return [await cache.increment(key, by=by, ttl=_TTL)]
        case "set", str(text):
            await cache.set(key, text, ttl=_TTL)
            return [None]
        case "add", str(text):
            return [await cache.add(key, text, ttl=_TTL)]
        case "pop", _:
            return [await cache.pop(key)]
        case "delete", _:
            return [await cache.delete(key)]
        case _:
            return [await cache.get(key)]
