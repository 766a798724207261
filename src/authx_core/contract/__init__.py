"""What every adapter of a port promises, as tests to inherit.

    class TestMyStore(UserStoreContract):
        async def open(self) -> UserStore:
            return MyStore(connect())

pytest then runs every clause over your adapter; no plugin and no configuration is needed.
"""

from authx_core.contract.base import SteppedClock
from authx_core.contract.blocking import never_suspends
from authx_core.contract.cache import CacheContract
from authx_core.contract.clock import ClockContract
from authx_core.contract.password_hasher import PasswordHasherContract
from authx_core.contract.user_store import UserStoreContract

__all__ = [
    "CacheContract",
    "ClockContract",
    "PasswordHasherContract",
    "SteppedClock",
    "UserStoreContract",
    "never_suspends",
]
