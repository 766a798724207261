"""What an adapter can do: declared, never guessed."""

from __future__ import annotations

from datetime import date
from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class Capabilities:
    """What holds of an adapter and its harness. What is declared absent is tested for absence."""

    clock: Literal["server", "injected"] = "injected"
    """Whose time a cache's lifetimes follow: its server's, which `Harness.rewind` meets, or the clock that is given."""
    backend: Literal["server", "embedded", "memory"] = "server"
    """Where the data are. Embedded ones outlive every handle; in memory they end with the last, which is tested."""
    shared_handle: bool = False
    """Every opening returns the one object there is, as for an adapter in memory."""
    own_ids: bool = False
    """The store gives users ids of its own instead of keeping the given."""
    namespaced: bool = False
    """Handles keep to `Harness.namespace`, such as a prefix: two of them are then shown not to see each other."""
    processes: bool = False
    """The harness can be imported, and in another process reaches the same data by the same `Harness.namespace`."""
    schema: bool = True
    """What the store keeps has a form that may be an older release's or another application's."""
    ticks: bool = True
    """The clock that is verified moves by itself; one that does not must stand still."""


@attrs.frozen
class Waiver:
    """A clause that is known not to hold: which, why, and until when. It still runs."""

    id: str
    reason: str
    until: date
    """The last day."""
