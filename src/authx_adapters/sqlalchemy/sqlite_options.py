"""Options in the URL of SQLite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import attrs

from authx_adapters.common.address import Address, Hidden
from authx_adapters.common.options import Read, boolean, one_of, read, refuse, span
from authx_core import Problem

KNOWN: Final[Mapping[str, Read]] = {
    "timeout": span,
    "uri": boolean,
    "mode": one_of("rw", "rwc"),
    "cache": one_of("private"),
    "vfs": one_of("unix", "unix-excl", "unix-dotfile", "win32", "win32-longpath"),
    "psow": one_of("0", "1"),
}
"""Refused are ``mode=ro`` and ``immutable``, since no user could be stored; ``nolock``, since two writers destroy the
file; ``cache=shared``, since readers fail at once while there is a writer: https://www.sqlite.org/uri.html."""
_MEMORY: Final = {"mode": "memory", "vfs": "memdb"}
"""Options of databases that are not files."""


def arguments(address: Address, field: str, timeout: float) -> tuple[Hidden, Hidden]:
    """Return the driver's arguments, and the options of a ``file:`` URI. Raises `InvalidValue` with all faults."""
    values, problems = read(_without_memory(address), field, KNOWN)
    if address.hosts or address.user:
        reason = "needs three slashes before a file, four before an absolute path: sqlite:///users.db"
        problems.append(Problem(field, "invalid", reason))
    elif _is_in_memory(address):
        problems.append(Problem(field, "unsupported", "must name a file: for users in memory, use memory://"))
    busy = min(values.pop("timeout", timeout), timeout)
    values.pop("uri", None)
    if address.path.startswith("file:"):
        values["uri"] = "true"
    elif values:
        reason = f"has options that only a file: URI can have (sqlite:///file:users.db): {', '.join(values)}"
        problems.append(Problem(field, "unsupported", reason))
    refuse(problems)
    return Hidden(timeout=busy), values


def _is_in_memory(address: Address) -> bool:
    """Whether a database is in memory, where every connection would have its own."""
    name = unquote(address.path).removeprefix("file:").removeprefix("//localhost").lstrip("/") or ":memory:"
    return name == ":memory:" or any(
        address.options.get(option, "").lower() == word for option, word in _MEMORY.items()
    )


def _without_memory(address: Address) -> Address:
    """Leave out the options that have a better message."""
    kept = {name: value for name, value in address.options.items() if value.lower() != _MEMORY.get(name)}
    return attrs.evolve(address, options=Hidden(kept))
