"""The passlib hasher keeps the contract, blocking and on threads."""

from __future__ import annotations

from authx_adapters.passlib import PasslibHasher
from authx_adapters.threaded import Threaded
from authx_contract import Harness, contract_tests, never_suspends
from authx_core.ports import PasswordHasher


class Blocking(Harness):
    """In the caller's thread."""

    name = "passlib"

    async def open_hasher(self) -> PasswordHasher:
        return never_suspends(PasslibHasher())


class InThreads(Harness):
    """For an event loop."""

    name = "passlib-threaded"

    async def open_hasher(self) -> PasswordHasher:
        return Threaded(PasslibHasher(), workers=2, queue=64, timeout=60)


TestPasslib = contract_tests(Blocking)
TestThreadedPasslib = contract_tests(InThreads)
