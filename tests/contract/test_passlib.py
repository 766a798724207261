"""The passlib hasher keeps the contract, blocking and behind threads."""

from __future__ import annotations

from authx_adapters.passlib import PasslibHasher
from authx_adapters.threaded import Threaded
from authx_core.contract import PasswordHasherContract, never_suspends
from authx_core.ports import PasswordHasher


class TestPasslib(PasswordHasherContract):
    """Blocking."""

    async def open(self) -> PasswordHasher:
        return never_suspends(PasslibHasher())


class TestThreadedPasslib(PasswordHasherContract):
    """For an event loop."""

    async def open(self) -> PasswordHasher:
        return Threaded(PasslibHasher(), workers=2, queue=64)
