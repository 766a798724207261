"""The project's own adapters: the harnesses of `tests/contract`, and private servers that they may stop."""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import ClassVar, Final

import servers
from authx_contract import Harness
from servers.private import Private
from servers.shared import variable

_FOLDER: Final = Path(__file__).parents[1] / "contract"
_lent: Final = ExitStack()


def adapters() -> Mapping[str, type[Harness]]:
    """Return all harnesses by name: memory, files and servers, clocks and hashers."""
    return {each.name: each for each in sorted(_harnesses(), key=lambda each: _place(each.name))}


def kind_of(harness: type[Harness]) -> servers.Kind | None:
    """Return the kind of server that a harness needs, if any."""
    kind: servers.Kind | None = getattr(harness, "kind", None)
    return kind


def losing_its_server(harness: type[Harness]) -> type[Harness]:
    """Return the harness with a private server that it can stop; worker processes import the original class."""
    if (kind := kind_of(harness)) is None:
        return harness
    here = {"server": _private(kind), "__module__": harness.__module__, "__qualname__": harness.__qualname__}
    return type(harness.__name__, (_Outage, harness), here)


class _Outage(Harness):
    server: ClassVar[Private]

    async def stop_backend(self) -> None:
        await asyncio.to_thread(self.server.stop)

    async def start_backend(self) -> None:
        await asyncio.to_thread(self.server.start)


@cache
def _private(kind: servers.Kind) -> Private:
    """Start the server that all harnesses of this kind use from now on, here and in worker processes."""
    if not _private.cache_info().currsize:
        atexit.register(_lent.close)  # registered before any server starts, so that servers stop last
    server = _lent.enter_context(servers.private(kind))
    os.environ[variable(kind)] = server.url
    return server


def _harnesses() -> Iterator[type[Harness]]:
    for file in sorted(_FOLDER.glob("test_*.py")):
        module = import_module(f"contract.{file.stem}")
        for found in vars(module).values():
            named = isinstance(found, type) and issubclass(found, Harness) and "name" in vars(found)
            if named and found.__module__ == module.__name__:
                yield found


def _place(name: str) -> int:
    order = ("memory", "sqlite", "postgresql", "mariadb", "mongodb", "redis", "system", "manual", "passlib")
    return order.index(name.partition("-")[0])
