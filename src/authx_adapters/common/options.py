"""The options of a URL, each checked, and all that is wrong told at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from authx_adapters.common.address import Address, Hidden, brief
from authx_core import InvalidValue, Problem

_WORDS: Final = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


class _Expected(ValueError):
    """A value that an option cannot have; its sentence does not quote it."""


Read: TypeAlias = Callable[[str], Any]
"""Turns the text of an option into its value."""


def text(value: str) -> str:
    """Take any text."""
    return value


def file(value: str) -> str:
    """Take the name of a file that is there, or ``system``, for the roots that the system trusts."""
    if value != "system" and not Path(value).expanduser().is_file():
        raise _Expected("a file that is there")
    return value


def boolean(value: str) -> bool:
    """Take ``true`` or ``false``, in any of their usual spellings."""
    found = _WORDS.get(value.lower())
    if found is None:
        raise _Expected("true or false")
    return found


def whole(least: int = 0, most: int = 2**31 - 1) -> Read:
    """Take a whole number."""

    def read(value: str) -> int:
        if not (value.isascii() and value.isdigit() and len(value) <= len(str(most)) and least <= int(value) <= most):
            raise _Expected(f"a whole number, {least} or more" if most == 2**31 - 1 else f"{least} to {most}")
        return int(value)

    return read


def span(value: str) -> float:
    """Take seconds, more than none and at most a day."""
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number <= 86_400:  # noqa: PLR2004 - a day
        raise _Expected("seconds, more than 0")
    return number


def one_of(*words: str) -> Read:
    """Take one of these words, in letters of either case; return it as it is written here."""
    known = {word.lower(): word for word in words}

    def read(value: str) -> str:
        if value.lower() not in known:
            raise _Expected(f"one of {', '.join(words)}")
        return known[value.lower()]

    return read


def read(
    address: Address, field: str, known: Mapping[str, Read], lacking: Mapping[str, str] | None = None
) -> tuple[Hidden, list[Problem]]:
    """Return the values of the options by their names in ``known``, and a problem for each that cannot be taken.

    ``lacking`` are those that this driver has no use for, each with what to do. Hyphens and letters of either case are
    as good as underscores and small ones.
    """
    values, problems = Hidden(), list[Problem]()
    names = {name.lower(): name for name in known}
    supported = ", ".join(sorted(known)) or "none"
    for given, value in address.options.items():
        name = names.get(given.lower().replace("-", "_"))
        if lacking and name and name in lacking:
            problems.append(Problem(field, "unsupported", f"has the option {brief(given)}: {lacking[name]}"))
        elif name is None:
            reason = f"has the option {brief(given)}, which is not supported here; those that are: {supported}"
            problems.append(Problem(field, "unsupported", reason))
        elif (expected := _fill(values, name, known[name], value)) is not None:
            problems.append(Problem(field, "invalid", f"has the option {brief(given)}, which must be {expected}"))
    return values, problems


def refuse(problems: list[Problem]) -> None:
    """Raise `InvalidValue` with all problems, if there are any."""
    if problems:
        raise InvalidValue(*problems)


def _fill(values: Hidden, name: str, parse: Read, value: str) -> str | None:
    """Add a value, or return what was expected instead."""
    try:
        values[name] = parse(value)
    except _Expected as error:
        return str(error)
    return None
