"""The ports: interfaces that the core needs and adapters implement."""

from authx_core.ports.cache import Cache
from authx_core.ports.clock import Clock
from authx_core.ports.events import Events
from authx_core.ports.password_hasher import PasswordHasher, Verification
from authx_core.ports.user_store import UserStore

__all__ = ["Cache", "Clock", "Events", "PasswordHasher", "UserStore", "Verification"]
