"""JSON that is immutable at any depth, and equals the plain dicts and lists that it was made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias, TypeVar, cast

from authx_core.domain.limits import MAX_DEPTH, MAX_EXTRA, MAX_INTEGER

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"

_Kind = TypeVar("_Kind", bound=type[object])


class NotJSON(ValueError):
    """A value that is not JSON, or too large; its text is the reason."""


def _refuse(*_: object, **__: object) -> NoReturn:
    raise TypeError("this value does not change: copy it into a dict or list of your own")


def _same(value: object, _: object = None) -> object:
    return value


def _unchanging(*mutators: str) -> Callable[[_Kind], _Kind]:
    """Make the mutating methods of a class refuse, and its copies return the object itself."""

    def decorate(kind: _Kind) -> _Kind:
        for name in mutators:
            setattr(kind, name, _refuse)
        for name in ("__copy__", "__deepcopy__"):
            setattr(kind, name, _same)
        return kind

    return decorate


@_unchanging("__setitem__", "__delitem__", "__ior__", "clear", "pop", "popitem", "setdefault", "update")
class FrozenDict(dict[str, "JSON"]):
    """A dict that does not change, so it has a hash. ``{**it}`` and ``it.copy()`` are plain dicts."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none, because it changes
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[str, JSON]]]:
        return FrozenDict, (dict(self),)


@_unchanging(
    *("__setitem__", "__delitem__", "__iadd__", "__imul__", "append", "clear", "extend", "insert", "pop", "remove"),
    *("reverse", "sort"),
)
class FrozenList(list["JSON"]):
    """A list that does not change, so it has a hash. ``[*it]`` and ``it.copy()`` are plain lists."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # a list has none, because it changes
        return hash(tuple(self))

    def __reduce__(self) -> tuple[type[FrozenList], tuple[list[JSON]]]:
        return FrozenList, (list(self),)


def freeze(value: object) -> JSON:
    """Return an equal, immutable value for any mapping, list or tuple.

    Raises `NotJSON` for anything but at most 64 Ki characters of JSON in 32 levels, with integers of at most 64
    bits. A circular value is refused too: each level costs depth, each member room.
    """
    return _freeze(value, MAX_DEPTH, _Room())


class _Room:
    """The characters that the rest of a value may take."""

    def __init__(self) -> None:
        self._left = MAX_EXTRA

    def take(self, characters: int) -> None:
        self._left -= characters
        if self._left < 0:
            raise NotJSON(f"must have at most {MAX_EXTRA} characters as JSON")


def frozen_extra(value: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """Freeze an ``extra``. Any other value stays as it is, for a check to refuse."""
    if isinstance(value, FrozenDict) or not isinstance(value, Mapping):
        return value
    try:
        return cast("FrozenDict", freeze(value))
    except NotJSON:
        return value


def _freeze(value: object, depth: int, room: _Room) -> JSON:
    if depth == 0:
        raise NotJSON(f"must be at most {MAX_DEPTH} levels deep")
    room.take(1)
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, room)
        case int():
            if not -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
                raise NotJSON("must hold integers of at most 64 bits")
            return int(value)
        case float():
            if not math.isfinite(value):
                raise NotJSON("must hold finite numbers")
            return float(value)
        case Mapping():
            items = cast("Mapping[object, object]", value).items()
            return FrozenDict({_key(key, room): _freeze(member, depth - 1, room) for key, member in items})
        case list() | tuple():
            return FrozenList(_freeze(member, depth - 1, room) for member in cast("Sequence[object]", value))
        case _:
            raise NotJSON("must be JSON: None, bool, int, float, str, lists and mappings")


def _key(key: object, room: _Room) -> str:
    if not isinstance(key, str):
        raise NotJSON("must have text as keys")
    room.take(1)
    return _text(key, room)


def _text(text: str, room: _Room) -> str:
    room.take(len(text))
    if "\0" in text:
        raise NotJSON("must not contain NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotJSON("must not contain a lone surrogate") from None
    return str.__str__(text)  # a plain one, also of a subclass, which might change


def frozen_set(value: Any) -> Any:
    """Make a frozenset of a set, list or tuple. Any other value stays as it is, for a check to refuse."""
    try:
        return frozenset(value) if issubclass(type(value), set | list | tuple) else value
    except TypeError:  # a member has no hash
        return value


def frozen_tuple(value: Any) -> Any:
    """Make a tuple of a list. Any other value stays as it is, for a check to refuse."""
    return tuple(value) if issubclass(type(value), list) else value
