"""The options of a URL: each is checked, and all faults are reported together."""

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
    """An impossible value of an option. The message says what was expected and does not quote the value."""


Read: TypeAlias = Callable[[str], Any]
"""Turns the text of an option into its value."""


def text(value: str) -> str:
    """Take any text."""
    return value


def file(value: str) -> str:
    """Take the name of an existing file, or ``system`` for the certificate authorities that the system trusts."""
    if value != "system" and not Path(value).expanduser().is_file():
        raise _Expected("an existing file")
    return value


def boolean(value: str) -> bool:
    """Take ``true`` or ``false``, in any usual spelling."""
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
    """Take seconds, more than 0 and at most a day."""
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number <= 86_400:  # noqa: PLR2004 - a day
        raise _Expected("seconds, more than 0")
    return number


def one_of(*words: str) -> Read:
    """Take one of these words, in upper or lower case, and return it as it is written here."""
    known = {word.lower(): word for word in words}

    def read(value: str) -> str:
        if value.lower() not in known:
            raise _Expected(f"one of {', '.join(words)}")
        return known[value.lower()]

    return read


def read(
    address: Address, field: str, known: Mapping[str, Read], lacking: Mapping[str, str] | None = None
) -> tuple[Hidden, list[Problem]]:
    """Return the values of the options by their names in ``known``, and a problem for each impossible option.

    ``lacking`` names options that this driver does not have, each with advice. Names may be in upper or lower case,
    with hyphens or underscores.
    """
    values, problems = Hidden(), list[Problem]()
    names = {name.lower(): name for name in known}
    supported = ", ".join(sorted(known)) or "none"
    for given, value in address.options.items():
        name = names.get(given.lower().replace("-", "_"))
        if lacking and name and name in lacking:
            problems.append(Problem(field, "unsupported", f"has the option {brief(given)}: {lacking[name]}"))
        elif name is None:
            reason = f"has the option {brief(given)}, which is not supported here; supported are: {supported}"
            problems.append(Problem(field, "unsupported", reason))
        elif (expected := _fill(values, name, known[name], value)) is not None:
            problems.append(Problem(field, "invalid", f"has the option {brief(given)}, which must be {expected}"))
    return values, problems


def refuse(problems: list[Problem]) -> None:
    """Raise `InvalidValue` with all problems, if there are any."""
    if problems:
        raise InvalidValue(*problems)


def _fill(values: Hidden, name: str, parse: Read, value: str) -> str | None:
    """Add a value; or return what was expected instead."""
    try:
        values[name] = parse(value)
    except _Expected as error:
        return str(error)
    return None
