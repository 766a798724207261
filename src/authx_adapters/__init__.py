"""The adapters of `authx_core`'s ports. The driver of each engine is installed by an extra."""

from authx_adapters.connecting import connect, connect_blocking, open_users, open_users_blocking

__all__ = ["connect", "connect_blocking", "open_users", "open_users_blocking"]
