"""What lives in the zoo, and which clause must kill it: said before it is tried."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypeVar

import attrs

from authx_contract import Harness
from authx_contract.harness import ports
from zoo.machinery.housing import house

Server: TypeAlias = Literal["postgresql", "mariadb", "mongodb", "redis"]
C = TypeVar("C", bound="type[object]")

ROOMS: Final = ("users", "cache", "clock_and_hasher", "servers", "correct")

_zoo: Final[dict[str, Specimen]] = {}


@attrs.frozen(kw_only=True)
class Specimen:
    """An adapter of the zoo. A mutant has a killer; one that is correct has none."""

    name: str
    sentence: str
    """What is wrong with it, or how it is written."""
    killer: str | None
    """The clause that must kill it, whichever others do too."""
    harness: type[Harness]
    needs: Server | None = None
    """The server that it runs on, if it is not in memory."""
    group: str
    """The file it is in, such as ``users.races``."""

    @property
    def prefix(self) -> str:
        """The first letters of the ids of the clauses that look at it."""
        return "".join({"users": "U", "cache": "C", "clock": "K", "hasher": "P"}[port] for port in ports(self.harness))


def mutant(killer: str, sentence: str, /, *, needs: Server | None = None) -> Callable[[C], C]:
    """Put an adapter, or a harness of one, into the zoo: one wrong thing, and the clause that must kill it."""
    return _register(killer, sentence, needs)


def correct(sentence: str, /, *, needs: Server | None = None) -> Callable[[C], C]:
    """Put an adapter, or a harness of one, into the zoo that no clause may accuse."""
    return _register(None, sentence, needs)


@cache
def zoo() -> Mapping[str, Specimen]:
    """Return all there are, by name, in the order of the files."""
    for room in ROOMS:
        package = import_module(f"zoo.{room}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    return MappingProxyType(_zoo)


def _register(killer: str | None, sentence: str, needs: Server | None) -> Callable[[C], C]:
    def register(kind: C) -> C:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", kind.__name__).lower()
        if name in _zoo:
            raise ValueError(f"two specimens are called {name}")
        harness = kind if issubclass(kind, Harness) else house(kind)
        group = kind.__module__.removeprefix("zoo.")
        _zoo[name] = Specimen(
            name=name, sentence=sentence, killer=killer, harness=harness, needs=needs, group=group,
        )  # fmt: skip
        return kind

    return register
