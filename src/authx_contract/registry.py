"""Every clause: importing this module imports the modules that define them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import walk_packages

from authx_contract import clauses
from authx_contract.clause import Clause, registered
from authx_contract.terms import PORTS

for _module in walk_packages(clauses.__path__, f"{clauses.__name__}."):
    import_module(_module.name)


def all_clauses() -> tuple[Clause, ...]:
    """Return every clause: users, cache, clock, hasher, each in order of the ids."""
    ports = list(PORTS)
    return tuple(sorted(registered.values(), key=lambda each: (ports.index(each.id[0]), each.id)))


def find(ids: Iterable[str]) -> tuple[Clause, ...]:
    """Return the clauses with these ids. Raises `LookupError` with the unknown ids."""
    known = {each.id: each for each in all_clauses()}
    wanted = [each.strip().upper() for each in ids]
    if unknown := [each for each in wanted if each not in known]:
        raise LookupError(f"there is no clause {', '.join(unknown)}")
    return tuple(known[each] for each in dict.fromkeys(wanted))
