"""An adapter's capabilities: declared, never guessed."""

from __future__ import annotations

from datetime import date
from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class Capabilities:
    """The properties of an adapter and its harness. The suite also tests that a property declared absent is absent."""

    clock: Literal["server", "injected"] = "injected"
    """The clock of a cache's lifetimes: its server's, for which `Harness.rewind` is needed, or the injected one."""
    backend: Literal["server", "embedded", "memory"] = "server"
    """Where the data are kept. Embedded data outlive every handle; data in memory are lost with the last one."""
    shared_handle: bool = False
    """Every opening returns the same object, as for an adapter in memory."""
    own_ids: bool = False
    """The store assigns its own ids to users instead of keeping the given ones."""
    namespaced: bool = False
    """Handles keep their data within `Harness.namespace`, such as a prefix. The suite tests that two do not overlap."""
    processes: bool = False
    """Another process can import the harness and reaches the same data through the same `Harness.namespace`."""
    schema: bool = True
    """The stored data have a schema, which an older release or another application may have made."""
    ticks: bool = True
    """The clock under test moves by itself; otherwise it must stand still."""


@attrs.frozen
class Waiver:
    """A clause that is known not to hold, the reason, and the last day of the waiver. The clause still runs."""

    id: str
    reason: str
    until: date
    """The last day on which the waiver applies."""
