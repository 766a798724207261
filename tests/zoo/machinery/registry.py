"""The specimens of the zoo, each mutant with the clause that must kill it."""

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
    """An adapter of the zoo. A mutant has a killer, a correct adapter has none."""

    name: str
    sentence: str
    """Its fault, or how it is written."""
    killer: str | None
    """The clause that must kill it; others may too."""
    harness: type[Harness]
    needs: Server | None = None
    """The server that it needs, if any."""
    group: str
    """The file it is in, such as ``users.races``."""

    @property
    def prefix(self) -> str:
        """The first letters of the ids of its ports' clauses."""
        return "".join({"users": "U", "cache": "C", "clock": "K", "hasher": "P"}[port] for port in ports(self.harness))


def mutant(killer: str, sentence: str, /, *, needs: Server | None = None) -> Callable[[C], C]:
    """Put an adapter with one fault, or a harness of one, into the zoo, and name the clause that must kill it."""
    return _register(killer, sentence, needs)


def correct(sentence: str, /, *, needs: Server | None = None) -> Callable[[C], C]:
    """Put a correct adapter, or a harness of one, into the zoo: no clause may accuse it."""
    return _register(None, sentence, needs)


@cache
def zoo() -> Mapping[str, Specimen]:
    """Return all specimens by name, in the order of the files."""
    for room in ROOMS:
        package = import_module(f"zoo.{room}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    return MappingProxyType(_zoo)


def _register(killer: str | None, sentence: str, needs: Server | None) -> Callable[[C], C]:
    def register(kind: C) -> C:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", kind.__name__).lower()
        if name in _zoo:
            raise ValueError(f"two specimens are called {name}: rename one")
        harness = kind if issubclass(kind, Harness) else house(kind)
        group = kind.__module__.removeprefix("zoo.")
        _zoo[name] = Specimen(
            name=name, sentence=sentence, killer=killer, harness=harness, needs=needs, group=group,
        )  # fmt: skip
        return kind

    return register
