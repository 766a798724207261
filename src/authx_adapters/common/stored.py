"""A user as an engine gives it back, each field checked: what somebody else put there is named, not believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

import attrs

from authx_adapters.common.encoding import instant
from authx_core.domain import InvalidSchema, Problem, User

Decode: TypeAlias = Callable[[Any], Any]
"""Turns a stored value into a field. Raises one of `FAULTS`, whose text says what is wrong without the value."""
FAULTS: Final = (TypeError, ValueError, LookupError, ArithmeticError, RecursionError)
_SHORT: Final = 36
"""Characters of an id, as many as a UUID has, beside which a `Problem` has room for the field."""
_MAX_ID: Final = 255


def user(stored: Mapping[str, Any], decoders: Mapping[str, Decode], kind: str, *, id_name: str = "id") -> User:
    """Make a user of what a row or document (``kind``) holds; what is absent has the field's default.

    Raises `InvalidSchema` with every field that no user of a store has.
    """
    fields = dict[str, Any]()
    problems = list[Problem]()
    for attribute in attrs.fields(User):
        name = id_name if attribute.name == "id" else attribute.name
        if name in stored:
            try:
                fields[attribute.name] = decoders[attribute.name](stored[name])
            except FAULTS as error:
                problems.append(foreign(kind, stored[id_name], name, fault(error)))
        elif attribute.default is attrs.NOTHING:
            problems.append(foreign(kind, stored[id_name], name, "is missing"))
    if problems:
        raise InvalidSchema(*problems)
    return User(**fields)


def foreign(kind: str, id_: object, name: str, fault: str) -> Problem:
    """Name a field of a row or document that is not the store's; the sentence has the rest of a long id."""
    shown = str(id_)[:_MAX_ID]
    which = f"this {kind}" if len(shown) <= _SHORT else f"the {kind} {shown!r}"
    reason = f"{fault}: {which} is not the store's, so remove or convert it"
    return Problem(f"{kind} {shown[:_SHORT]!r}, {name}", f"foreign_{kind}", reason)


def fault(error: Exception) -> str:
    """Tell what a value is not."""
    return str(error) or type(error).__name__


def optional(convert: Decode) -> Decode:
    """Let None pass."""
    return lambda value: None if value is None else convert(value)


def _a(kind: type, name: str) -> Decode:
    """Return a function that lets values of one kind pass. It raises `TypeError` that names the kind, not the value."""

    def check(value: Any) -> Any:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise TypeError(f"is not {name}")
        return value

    return check


text: Final = _a(str, "text")
flag: Final = _a(bool, "true or false")
number: Final = _a(int, "a whole number")
array: Final = _a(list, "a list")
mapping: Final = _a(Mapping, "an object")
_microseconds: Final = _a(int, "a whole number of microseconds since 1970")


def positive(value: Any) -> int:
    """Let whole numbers from 1 pass, which epochs and versions are."""
    if number(value) < 1:
        raise ValueError("is not 1 or more")
    return int(value)


def moment(value: Any) -> datetime:
    """Turn microseconds into an instant."""
    try:
        return instant(_microseconds(value))
    except OverflowError:
        raise ValueError("is no instant of the years 1 to 9999") from None


def permissions(values: Any) -> frozenset[str]:
    """Turn a list of text into a set."""
    return frozenset(text(each) for each in array(values))
