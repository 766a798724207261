"""How the suite opens an adapter: about ten lines that its author writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from authx_contract.capabilities import Capabilities, Waiver
from authx_contract.stepped_clock import SteppedClock
from authx_contract.terms import Port
from authx_core.ports import Cache, Clock, PasswordHasher, UserStore


class Harness:
    """Opens handles of an adapter. A port that it does not open is not verified.

    Each clause runs in its own event loop, on its own instance, made without arguments. The suite calls `reset`, opens
    as many handles as the clause needs, then calls `reset` and `close`. All handles of an instance reach the same data.
    """

    name: ClassVar[str] = ""
    """The name in reports; by default, that of the class."""
    capabilities: ClassVar[Capabilities] = Capabilities()
    waivers: ClassVar[Sequence[Waiver]] = ()
    outdated_hash: ClassVar[str | None] = (
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$lUbZ8Jzij/5bOe3RDFNWB4YcFPBWi0usvNmLvSsyG7I"
    )
    """A hash of ``correct horse battery staple`` with weaker parameters than the present ones, which is accepted."""
    excessive_hash: ClassVar[str | None] = (
        "$argon2id$v=19$m=4194304,t=64,p=4$c29tZXNhbHRzb21lc2FsdA$Zm9yIHRoZSBwYXRpZW50IHJlYWRlciBvZiB0aGlz"
    )
    """A well-formed hash whose parameters cost more than the hasher allows."""
    namespace: str = "authx-contract"
    """The prefix, schema or file name for an adapter that has one. The suite sets it before any other call."""

    async def open_users(self, clock: SteppedClock, /) -> UserStore:
        """Return a handle of the user store, which may ignore the clock."""
        raise NotImplementedError

    async def open_cache(self, clock: SteppedClock, /) -> Cache:
        """Return a handle of the cache; with ``clock="injected"``, its lifetimes follow this clock."""
        raise NotImplementedError

    async def open_clock(self) -> Clock:
        """Return a clock."""
        raise NotImplementedError

    async def open_hasher(self) -> PasswordHasher:
        """Return a password hasher."""
        raise NotImplementedError

    async def reset(self) -> None:
        """Delete the suite's data and nothing else; called before the first handle is opened, and at the end."""

    async def rewind(self, by: timedelta, /) -> None:
        """Move every deadline back by exactly this; on a server with its own clock, this is how time passes."""
        raise NotImplementedError

    async def stop_backend(self) -> None:
        """Take the backend down, as an outage does; for level 3."""
        raise NotImplementedError

    async def start_backend(self) -> None:
        """Bring the backend up again, with the data it had."""
        raise NotImplementedError

    async def age_schema(self) -> None:
        """Give the store an older release's schema, such as one without a column; for level 3."""
        raise NotImplementedError

    async def foreign_schema(self) -> None:
        """Put another application's data where the store keeps its users; for level 3."""
        raise NotImplementedError

    async def purge(self) -> None:
        """Remove the cache's expired entries, as an application does; nothing if the backend removes them itself."""

    async def stored(self) -> int:
        """Count the cache's entries in the backend, including expired ones that it has not removed yet."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close the handles. The backend keeps its data, and handles may be opened again."""


def title(harness: type[Harness]) -> str:
    """Return the name of a harness in reports."""
    return harness.name or harness.__name__


def overrides(harness: type[Harness], hook: str) -> bool:
    """Whether a harness implements this hook."""
    return getattr(harness, hook) is not getattr(Harness, hook)


def ports(harness: type[Harness]) -> tuple[Port, ...]:
    """Return the ports that a harness opens."""
    openings: tuple[Port, ...] = ("users", "cache", "clock", "hasher")
    return tuple(port for port in openings if overrides(harness, f"open_{port}"))
