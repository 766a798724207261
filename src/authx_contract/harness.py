"""How the suite gets at an adapter: about ten lines that its author writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from authx_contract.capabilities import Capabilities, Waiver
from authx_contract.stepped_clock import SteppedClock
from authx_contract.terms import Port
from authx_core.ports import Cache, Clock, PasswordHasher, UserStore


class Harness:
    """Opens handles of what is to be verified. What it does not open is not verified.

    Each clause gets an instance of its own, made without arguments, in an event loop of its own: `reset`, as many
    openings as the clause wants, `reset`, `close`. Every handle of an instance reaches the same data.
    """

    name: ClassVar[str] = ""
    """What reports call it; the class's name if empty."""
    capabilities: ClassVar[Capabilities] = Capabilities()
    waivers: ClassVar[Sequence[Waiver]] = ()
    outdated_hash: ClassVar[str | None] = (
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$lUbZ8Jzij/5bOe3RDFNWB4YcFPBWi0usvNmLvSsyG7I"
    )
    """A hash of ``correct horse battery staple`` that is accepted, but by weaker parameters than the present ones."""
    excessive_hash: ClassVar[str | None] = (
        "$argon2id$v=19$m=4194304,t=64,p=4$c29tZXNhbHRzb21lc2FsdA$Zm9yIHRoZSBwYXRpZW50IHJlYWRlciBvZiB0aGlz"
    )
    """A well-formed hash whose parameters would cost more than the hasher allows."""
    namespace: str = "authx-contract"
    """Set by the suite before anything is called: where an adapter that has prefixes, schemas or files keeps to."""

    async def open_users(self, clock: SteppedClock, /) -> UserStore:
        """Return a handle of the user store; it need not read the clock."""
        raise NotImplementedError

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        """Return a handle of the cache; with ``clock="injected"`` it keeps lifetimes by this clock."""
        raise NotImplementedError

    async def open_clock(self) -> Clock:
        """Return a clock."""
        raise NotImplementedError

    async def open_hasher(self) -> PasswordHasher:
        """Return a password hasher."""
        raise NotImplementedError

    async def reset(self) -> None:
        """Leave nothing of the suite's, and touch nothing of others: before the first opening, and at the end."""

    async def rewind(self, by: timedelta, /) -> None:
        """Move every deadline back by exactly this: how a lifetime passes on a server that has a clock of its own."""
        raise NotImplementedError

    async def stop_backend(self) -> None:
        """Take the backend down, as an outage would; for level 3."""
        raise NotImplementedError

    async def start_backend(self) -> None:
        """Bring the backend up again, with the data it had."""
        raise NotImplementedError

    async def age_schema(self) -> None:
        """Make what the store keeps look as an older release made it, such as without a column; for level 3."""
        raise NotImplementedError

    async def foreign_schema(self) -> None:
        """Put what another application made where the store would keep its users."""
        raise NotImplementedError

    async def purge(self) -> None:
        """Remove the cache's expired entries as an application would; nothing, where that happens by itself."""

    async def stored(self) -> int:
        """Count the cache's entries where they are kept, those included that have expired and are still there."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close what was opened. Data of a backend stay, and handles may be opened again."""


def title(harness: type[Harness]) -> str:
    """Return what reports call a harness."""
    return harness.name or harness.__name__


def overrides(harness: type[Harness], hook: str) -> bool:
    """Whether a harness brings this hook of its own."""
    return getattr(harness, hook) is not getattr(Harness, hook)


def ports(harness: type[Harness]) -> tuple[Port, ...]:
    """Return the ports that a harness opens."""
    openings: tuple[Port, ...] = ("users", "cache", "clock", "hasher")
    return tuple(port for port in openings if overrides(harness, f"open_{port}"))
