"""Reads a user from an engine and checks each field, since another program may have written the row or document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

import attrs

from authx_adapters.common.encoding import instant
from authx_core.domain import InvalidSchema, Problem, User

Decode: TypeAlias = Callable[[Any], Any]
"""Turns a stored value into a field. Raises one of `FAULTS`, whose text names the fault without the value."""
FAULTS: Final = (TypeError, ValueError, LookupError, ArithmeticError, RecursionError)
_SHORT: Final = 36
"""Characters of an id that fit beside a field's name in a `Problem`; a UUID has as many."""
_MAX_ID: Final = 255


def user(stored: Mapping[str, Any], decoders: Mapping[str, Decode], kind: str, *, id_name: str = "id") -> User:
    """Make a user from a row or document (``kind``). An absent field has its default.

    Raises `InvalidSchema` with every impossible field.
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
    """Return a problem with a field that the store did not write; the message has the whole id if it is long."""
    shown = str(id_)[:_MAX_ID]
    which = f"this {kind}" if len(shown) <= _SHORT else f"the {kind} {shown!r}"
    reason = f"{fault}: {which} is not the store's, so remove or convert it"
    return Problem(f"{kind} {shown[:_SHORT]!r}, {name}", f"foreign_{kind}", reason)


def fault(error: Exception) -> str:
    """Return the fault of a value as text."""
    return str(error) or type(error).__name__


def optional(convert: Decode) -> Decode:
    """Accept None too."""
    return lambda value: None if value is None else convert(value)


def _a(kind: type, name: str) -> Decode:
    """Return a function that accepts values of one kind. Its `TypeError` names the kind, not the value."""

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
    """Accept whole numbers from 1, as epochs and versions are."""
    if number(value) < 1:
        raise ValueError("is not 1 or more")
    return int(value)


def moment(value: Any) -> datetime:
    """Turn microseconds into an instant."""
    try:
        return instant(_microseconds(value))
    except OverflowError:
        raise ValueError("is not an instant of the years 1 to 9999") from None


def permissions(values: Any) -> frozenset[str]:
    """Turn a list of text into a set."""
    return frozenset(text(each) for each in array(values))
